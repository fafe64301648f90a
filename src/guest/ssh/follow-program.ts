import { pipeline } from 'node:stream/promises'
import type { ClientChannel } from 'ssh2'
import { deferred } from '../../qemu/deferred.js'
import type { Program, ProgramStatus } from '../channel/channel.js'
import type { GuestError } from '../guest-error.js'
import { AfterMark, KeptOutput } from './output.js'

const MOST_LISTENERS = 30

/** A program that runs in the guest. */
interface FollowedProgram {
  /** Its pid and its process group, as soon as they are known; never, if it did not begin. */
  begun: Promise<{ pid: string; group: string }>
  ended: Promise<ProgramStatus>
}

/** What goes with the command that runs a program. */
interface Company {
  program: Program
  mark: string
  firstLine: string
  /** The error of a program that ended without a word. */
  lost: () => Promise<GuestError>
}

/** Gives a program its input, and hands on what it prints. */
export function followProgram(
  channel: ClientChannel,
  { program, mark, firstLine, lost }: Company,
): FollowedProgram {
  const begun = deferred<{ pid: string; group: string }>()
  const ended = deferred<ProgramStatus>()
  ended.promise.catch(() => {}) // whoever awaits it hears of it; no one may be left to
  channel.on('error', () => {})
  // Two pipelines have several each.
  channel.setMaxListeners(MOST_LISTENERS)
  const kept = { stdout: new KeptOutput(), stderr: new KeptOutput() }
  const own = new AfterMark(mark, (line) => {
    const [pid = '', group = ''] = line.split(' ')
    begun.resolve({ pid, group })
  })
  // What nobody takes is read all the same: there is no end of the command before the end of its output.
  const printed = Promise.all([
    pipeline(channel, new AfterMark(mark, () => {}), program.stdout ?? kept.stdout).catch(() => {
      channel.resume()
    }),
    pipeline(channel.stderr, own, program.stderr ?? kept.stderr).catch(() => {
      channel.stderr.resume()
    }),
  ])
  channel.once('close', async (code?: number | null, signal?: string) => {
    await printed
    if (code === undefined) return ended.reject(await lost())
    const truncated = (['stdout', 'stderr'] as const).find((name) => kept[name].isTruncated)
    ended.resolve({
      exitCode: code ?? undefined,
      signal: code === null ? signal : undefined,
      stdout: kept.stdout.bytes,
      stderr: kept.stderr.bytes,
      ...(truncated && { truncated }),
    })
  })
  giveInput(channel, program.input, firstLine)
  return { begun: begun.promise, ended: ended.promise }
}

/** A program may end without having read all. */
function giveInput(channel: ClientChannel, input: Program['input'], firstLine: string): void {
  if (firstLine !== '') channel.write(firstLine)
  if (input === undefined || Buffer.isBuffer(input)) channel.end(input)
  else pipeline(input, channel).catch(() => {})
}
