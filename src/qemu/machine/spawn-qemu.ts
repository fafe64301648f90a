import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import type { Duplex } from 'node:stream'
import { VmStatesError } from '../../params/errors.js'
import type { ExitStatus } from './exit-status.js'
import { findSetpriv } from './find-binary.js'

/** A QEMU process and the host's ends of its channels. */
export interface SpawnedQemu {
  child: ChildProcess
  pid: number
  commandLine: readonly string[]
  qmp: Duplex
  agent: Duplex
  wake: Duplex
  serial: Duplex | undefined
  /** Settles when the process has ended; never rejects. */
  ended: Promise<ExitStatus>
}

/**
 * A parent that died before `setpriv` took effect sends no signal any more. So the last step before
 * QEMU looks whether it is still there.
 */
function ifParentLives(): string[] {
  return ['/bin/sh', '-c', 'test "$PPID" = "$0" && exec "$@"', String(process.pid)]
}

/**
 * Starts QEMU in a session of its own, so that a terminal's Ctrl-C does not reach it, and bound to
 * the life of this process (or worker thread), so that not even SIGKILL leaves it behind.
 *
 * @param logFile - where its standard output and error go; appended to
 * @param serial - whether its arguments connect the serial console
 * @throws VmStatesError `QEMU_MISSING` if it cannot be executed
 */
export async function spawnQemu(
  binary: string,
  args: readonly string[],
  logFile: string,
  serial: boolean,
): Promise<SpawnedQemu> {
  const setpriv = await findSetpriv()
  const commandLine =
    setpriv === undefined
      ? [binary, ...args]
      : [setpriv, '--pdeathsig', 'KILL', '--', ...ifParentLives(), binary, ...args]
  const [file = binary, ...rest] = commandLine
  const log = await open(logFile, 'a', 0o600)
  try {
    // Node makes each further pipe a socket pair: no socket files, nothing to poll or remove.
    const stdio = ['ignore', log.fd, log.fd, 'pipe', 'pipe', 'pipe'] as const
    const more = serial ? (['pipe'] as const) : []
    const child = spawn(file, rest, { detached: true, stdio: [...stdio, ...more] })
    const ended = new Promise<ExitStatus>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
    })
    await once(child, 'spawn')
    const channels = child.stdio.slice(3) as [Duplex, Duplex, Duplex, Duplex?]
    // A lost connection is told by its end.
    for (const channel of channels) channel?.on('error', () => {})
    const [qmp, agent, wake, console] = channels
    const pid = child.pid as number
    return { child, pid, commandLine, qmp, agent, wake, serial: console, ended }
  } catch (cause) {
    throw new VmStatesError('QEMU_MISSING', `${binary}: cannot be run`, { cause })
  } finally {
    await log.close()
  }
}
