import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Duplex, Writable } from 'node:stream'
import { VmStatesError } from '../../params/errors.js'
import { bindToParent } from './bind-to-parent.js'
import { FIRST_EXTRA_FD, INCOMING_FD } from './command-line.js'
import type { ExitStatus } from './exit-status.js'
import type { LaunchOptions } from './launch-options.js'
import { type SpawnedTpm, spawnTpm } from './spawn-tpm.js'

/** A QEMU process and the host's ends of its channels. */
export interface SpawnedQemu {
  child: ChildProcess
  pid: number
  commandLine: readonly string[]
  qmp: Duplex
  agent: Duplex
  wake: Duplex
  /** What is typed on the serial console. */
  keyboard: Writable
  /** Settles when the process has ended; never rejects. */
  ended: Promise<ExitStatus>
}

type SpawnOptions = Pick<LaunchOptions, 'incoming' | 'wrapper' | 'extraFds' | 'disks'>

/**
 * Starts QEMU in a session of its own, so that a terminal's Ctrl-C does not reach it, and bound to
 * the life of this process (or worker thread), so that not even SIGKILL leaves it behind.
 *
 * @param args - of QEMU, see `commandLine`
 * @param files - which are appended to: the serial console, and what QEMU itself says
 * @param options - those that the arguments are of
 * @throws VmStatesError `QEMU_MISSING` if it cannot be executed, `TPM_MISSING`
 */
export async function spawnQemu(
  binary: string,
  args: readonly string[],
  { console, log }: { console: string; log: string },
  { incoming, wrapper = [], extraFds = [], disks }: SpawnOptions,
): Promise<SpawnedQemu> {
  const bound = await bindToParent()
  const commandLine = [
    ...bound,
    // A wrapper that does not become QEMU takes it along at its end.
    ...(wrapper.length > 0 ? [...wrapper, ...bound.slice(0, bound.indexOf('--') + 1)] : []),
    ...[binary, ...args],
  ]
  const files: FileHandle[] = []
  const opened = async (path: string, flags: string | number): Promise<number> => {
    const handle = await open(path, flags, 0o600)
    files.push(handle)
    return handle.fd
  }
  try {
    const output = [await opened(console, 'a'), await opened(log, 'a')]
    const state = incoming === undefined ? 'ignore' : await opened(incoming, 'r')
    const extra: number[] = []
    for (const path of extraFds) extra.push(await opened(path, constants.O_RDWR))
    // Node makes each further pipe a socket pair: no socket files, nothing to poll or remove.
    const channels = ['pipe', 'pipe', 'pipe']
    const stored = disks.find(({ role }) => role === 'tpm')
    const tpm = stored && (await spawnTpm(stored.file, output[1] as number))
    const unused = Array<'ignore'>(FIRST_EXTRA_FD - INCOMING_FD - 2).fill('ignore')
    const further = extra.length > 0 ? [...unused, ...extra] : []
    const stdio = ['pipe', ...output, ...channels, state, tpm?.channel ?? 'ignore', ...further]
    return await start(binary, commandLine, stdio as StdioOptions, tpm)
  } finally {
    await Promise.all(files.map((handle) => handle.close()))
  }
}

async function start(
  binary: string,
  commandLine: readonly string[],
  stdio: StdioOptions,
  tpm: SpawnedTpm | undefined,
): Promise<SpawnedQemu> {
  const [file = binary, ...args] = commandLine
  try {
    const child = spawn(file, args, { detached: true, stdio })
    // QEMU alone is to see when it ends, and the TPM when QEMU does.
    tpm?.channel.destroy()
    const ended = new Promise<ExitStatus>((resolve) => {
      child.once('exit', async (code, signal) => {
        await tpm?.end()
        resolve({ code, signal })
      })
    })
    await once(child, 'spawn')
    const [qmp, agent, wake] = child.stdio.slice(3) as [Duplex, Duplex, Duplex]
    const keyboard = child.stdin as Writable
    // A lost connection is told by its end.
    for (const channel of [keyboard, qmp, agent, wake]) channel.on('error', () => {})
    return { child, pid: child.pid as number, commandLine, keyboard, qmp, agent, wake, ended }
  } catch (cause) {
    tpm?.kill()
    throw new VmStatesError('QEMU_MISSING', `${binary}: cannot be run`, { cause })
  }
}
