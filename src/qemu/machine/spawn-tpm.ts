import { type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename, dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import { VmStatesError } from '../../params/errors.js'
import { withDeadline } from '../deadline.js'
import { bindToParent } from './bind-to-parent.js'
import { findProgram } from './find-binary.js'

/** The program that is a TPM. */
const PROGRAM = 'swtpm'

/** Milliseconds from QEMU's end to its own. */
const END_TIMEOUT = 2000

/** A TPM 2.0 as a process, for one start of QEMU. */
export interface SpawnedTpm {
  /** Its control channel, for QEMU to inherit; the host's end is to be closed then. */
  channel: Duplex
  /** Waits until it has ended, as it does when QEMU has; never rejects. Its file is not written to then. */
  end(): Promise<void>
  /** Ends it where QEMU was not started. */
  kill(): void
}

/**
 * Starts a TPM, bound to the life of this process as QEMU is.
 *
 * @param file - absolute path of what it stores; an empty one is a TPM that was never started
 * @param log - the descriptor for what it says
 * @throws VmStatesError `TPM_MISSING`
 */
export async function spawnTpm(file: string, log: number): Promise<SpawnedTpm> {
  const program = await findProgram(PROGRAM)
  if (program === undefined) throw tpmMissing()
  // In the directory of its file, whose path may have commas.
  const state = `backend-uri=file://${basename(file)}`
  const options = ['--tpm2', '--tpmstate', state, '--ctrl', 'type=unixio,clientfd=3', '--terminate']
  const [command = program, ...args] = [
    ...(await bindToParent()),
    ...[program, 'socket', ...options],
  ]
  const stdio: StdioOptions = ['ignore', log, log, 'pipe']
  const child = spawn(command, args, { cwd: dirname(file), detached: true, stdio })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await once(child, 'spawn').catch((cause: unknown) => {
    throw tpmMissing(cause)
  })
  const channel = child.stdio[3] as Duplex
  channel.on('error', () => {})
  return {
    channel,
    async end() {
      await withDeadline(ended, PROGRAM, { timeout: END_TIMEOUT }).catch(async () => {
        child.kill('SIGKILL')
        await ended
      })
    },
    kill: () => child.kill('SIGKILL'),
  }
}

function tpmMissing(cause?: unknown): VmStatesError {
  return new VmStatesError('TPM_MISSING', `${PROGRAM}: no such program, or not executable`, {
    hint: 'Install it (Debian, Ubuntu, Fedora: package swtpm), or leave tpm out.',
    cause,
  })
}
