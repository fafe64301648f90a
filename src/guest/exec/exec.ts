import { monotonic } from '../../params/clocks.js'
import type { Channel, ProgramStatus } from '../channel/channel.js'
import { GuestError } from '../guest-error.js'
import { quoteWord } from '../shell/quote.js'
import { CommandError } from './command-error.js'
import { killProgram } from './kill.js'
import type { OnCommand } from './on-command.js'
import { checkCommand, type ExecOptions, stdinBytes } from './options.js'
import { type CommandResult, toResult } from './result.js'
import { outputSink } from './sink.js'
import { watchStop } from './stop.js'
import { wrapCommand } from './wrap.js'

/** What goes with a command besides its options. */
export interface ExecCompany {
  /** The command as results and errors show it; file and arguments by default. */
  script?: string
  onCommand?: OnCommand | undefined
}

/**
 * Runs a command in the guest and waits for its end.
 *
 * @throws CommandError if it fails, prints too much, or is stopped
 * @throws GuestError if the guest does not answer, or refuses
 */
export async function exec(
  channel: Channel,
  file: string,
  args: readonly string[],
  options: ExecOptions,
  { script, onCommand }: ExecCompany = {},
): Promise<CommandResult<string | Buffer>> {
  checkCommand(file, args, options)
  const shown = script ?? [file, ...args].map(quoteWord).join(' ')
  const result = runCommand(channel, file, args, options, shown)
  onCommand?.(shown, result)
  return await result
}

async function runCommand(
  channel: Channel,
  file: string,
  args: readonly string[],
  options: ExecOptions,
  shown: string,
): Promise<CommandResult<string | Buffer>> {
  const { stdin, timeout, signal, onStdout, onStderr, encoding, reject = true } = options
  const start = monotonic()
  const result = (status: ProgramStatus) => toResult(status, shown, monotonic() - start, encoding)
  if (signal?.aborted) {
    throw new GuestError('ABORTED', `Command was cancelled before it began: ${shown}`, {
      cause: signal.reason,
    })
  }

  const watch = watchStop(options)
  const program = {
    ...wrapCommand(file, args, options),
    input: stdin === undefined ? undefined : stdinBytes(stdin),
    ...(onStdout && { stdout: outputSink(onStdout, watch.fail) }),
    ...(onStderr && { stderr: outputSink(onStderr, watch.fail) }),
  }
  const withdraw = new AbortController()
  const killable = [timeout, signal, onStdout, onStderr].some((option) => option !== undefined)
  const started = channel.start(program, { killable, signal: withdraw.signal })
  const ending = started.then(({ ended }) => ended)
  const outcome = await Promise.race([ending, watch.stopped]).finally(watch.end)

  if ('thrown' in outcome) {
    withdraw.abort()
    await killProgram(started, channel.killTimeout)
    throw outcome.thrown
  }
  if ('how' in outcome) {
    withdraw.abort()
    if (outcome.code === 'TIMEOUT' && !channel.answered) throw channel.missing(timeout ?? 0)
    const status = await killProgram(started, channel.killTimeout)
    const isGuestSilent = status === undefined
    const silent = isGuestSilent ? ', in a guest that does not answer' : ''
    throw new CommandError(
      outcome.code,
      `Command ${outcome.how}${silent}: ${shown}`,
      result(status ?? NOTHING_KNOWN),
      { cause: outcome.cause, isGuestSilent },
    )
  }
  const done = result(outcome)
  if (outcome.truncated !== undefined) {
    throw new CommandError(
      'GUEST_OUTPUT_TRUNCATED',
      `Command printed more than is kept (16 MiB) to ${outcome.truncated}: ${shown}`,
      done,
      { hint: 'take it as it comes, with the options onStdout and onStderr' },
    )
  }
  if (done.failed && reject) {
    const how = done.signal === undefined ? `with exit code ${done.exitCode}` : `by ${done.signal}`
    throw new CommandError('GUEST_COMMAND_FAILED', `Command failed ${how}: ${shown}`, done)
  }
  return done
}

const NOTHING_KNOWN: ProgramStatus = {
  exitCode: undefined,
  signal: undefined,
  stdout: Buffer.alloc(0),
  stderr: Buffer.alloc(0),
}
