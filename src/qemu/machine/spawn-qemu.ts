import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import type { Duplex, Writable } from 'node:stream'
import { VmStatesError } from '../../params/errors.js'
import type { ExitStatus } from './exit-status.js'
import { findSetpriv } from './find-binary.js'
import type { LaunchOptions } from './launch-options.js'

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

/**
 * A parent that died before `setpriv` took effect sends no signal any more. So the last step before
 * QEMU looks whether it is still there.
 */
function ifParentLives(): string[] {
  return ['/bin/sh', '-c', 'test "$PPID" = "$0" && exec "$@"', String(process.pid)]
}

/**
 * Has glibc ask for huge pages: QEMU's start is mostly faults of its heap, which are a third of them
 * then. Where the C library does not know it, it does nothing.
 */
function withHugePages({ GLIBC_TUNABLES: own, ...others }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const tunables = ['glibc.malloc.hugetlb=1', ...(own ? [own] : [])]
  return { ...others, GLIBC_TUNABLES: tunables.join(':') }
}

/**
 * Starts QEMU in a session of its own, so that a terminal's Ctrl-C does not reach it, and bound to
 * the life of this process (or worker thread), so that not even SIGKILL leaves it behind.
 *
 * @param args - of QEMU, see `commandLine`
 * @param files - which are appended to: the serial console, and what QEMU itself says
 * @param options - those that the arguments are of
 * @throws VmStatesError `QEMU_MISSING` if it cannot be executed
 */
export async function spawnQemu(
  binary: string,
  args: readonly string[],
  files: { console: string; log: string },
  { incoming }: Pick<LaunchOptions, 'incoming'>,
): Promise<SpawnedQemu> {
  const setpriv = await findSetpriv()
  const commandLine =
    setpriv === undefined
      ? [binary, ...args]
      : [setpriv, '--pdeathsig', 'KILL', '--', ...ifParentLives(), binary, ...args]
  const [file = binary, ...rest] = commandLine
  await using console = await open(files.console, 'a', 0o600)
  await using log = await open(files.log, 'a', 0o600)
  await using state = incoming === undefined ? null : await open(incoming)
  try {
    // Node makes each further pipe a socket pair: no socket files, nothing to poll or remove.
    const channels = ['pipe', 'pipe', 'pipe'] as const
    const stdio: StdioOptions = ['pipe', console.fd, log.fd, ...channels, state?.fd ?? 'ignore']
    const env = withHugePages(process.env)
    const child = spawn(file, rest, { detached: true, stdio, env })
    const ended = new Promise<ExitStatus>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
    })
    await once(child, 'spawn')
    const [qmp, agent, wake] = child.stdio.slice(3) as [Duplex, Duplex, Duplex]
    const keyboard = child.stdin as Writable
    // A lost connection is told by its end.
    for (const channel of [keyboard, qmp, agent, wake]) channel.on('error', () => {})
    return { child, pid: child.pid as number, commandLine, keyboard, qmp, agent, wake, ended }
  } catch (cause) {
    throw new VmStatesError('QEMU_MISSING', `${binary}: cannot be run`, { cause })
  }
}
