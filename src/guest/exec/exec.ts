import type { AgentClient } from '../agent/client.js'
import type { ExecStatus } from '../agent/commands.js'
import { AgentRefusal } from '../agent/refusal.js'
import { missingAgentError } from '../agent/silence.js'
import { GuestError } from '../guest-error.js'
import { quoteWord } from '../shell/quote.js'
import { CommandError } from './command-error.js'
import { killProgram, startKillable } from './kill.js'
import type { OnCommand } from './on-command.js'
import { checkCommand, type ExecOptions, stdinBytes } from './options.js'
import { type CommandResult, toResult } from './result.js'
import { type StartedProgram, startProgram } from './run.js'
import { wrapCommand } from './wrap.js'

/** Why a command is stopped from outside. */
interface Stop {
  code: 'TIMEOUT' | 'ABORTED'
  how: string
  cause?: unknown
}

/** Calls `onStop` when the deadline passes or the signal fires, until it is disposed of. */
function watchStop({ timeout, signal }: ExecOptions, onStop: (stop: Stop) => void): () => void {
  const onAbort = () =>
    onStop({ code: 'ABORTED', how: 'was cancelled', cause: signal?.reason as unknown })
  const onTimeout = () => onStop({ code: 'TIMEOUT', how: `timed out after ${timeout} ms` })
  const timer = timeout === undefined ? undefined : setTimeout(onTimeout, timeout)
  if (signal?.aborted) onAbort()
  else signal?.addEventListener('abort', onAbort, { once: true })
  return () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

/** What a shell would say about a program that cannot be started. */
function notStarted({ description }: AgentRefusal): ExecStatus {
  const reason = /error was '(?<text>.*)'$/s.exec(description)?.groups?.text ?? description
  return {
    exited: true,
    exitcode: /No such file/.test(reason) ? 127 : 126,
    'err-data': Buffer.from(`${reason}\n`).toString('base64'),
  }
}

function wasNotStarted(error: unknown): error is AgentRefusal {
  return error instanceof AgentRefusal && /Failed to execute child/.test(error.description)
}

function ending(started: Promise<StartedProgram>): Promise<ExecStatus> {
  return started.then(
    ({ ended }) => ended,
    (error: unknown) => {
      if (wasNotStarted(error)) return notStarted(error)
      throw error
    },
  )
}

/** What goes with a command besides its options. */
export interface ExecCompany {
  /** The command as results and errors show it; file and arguments by default. */
  script?: string
  onCommand?: OnCommand | undefined
}

/**
 * Runs a command in the guest, through the guest agent, and waits for its end.
 *
 * @throws CommandError if it fails, prints too much, or is stopped
 * @throws GuestError if the agent does not answer, or refuses
 */
export async function exec(
  agent: AgentClient,
  file: string,
  args: readonly string[],
  options: ExecOptions,
  { script, onCommand }: ExecCompany = {},
): Promise<CommandResult<string | Buffer>> {
  checkCommand(file, args, options)
  const shown = script ?? [file, ...args].map(quoteWord).join(' ')
  const result = runCommand(agent, file, args, options, shown)
  onCommand?.(shown, result)
  return await result
}

async function runCommand(
  agent: AgentClient,
  file: string,
  args: readonly string[],
  options: ExecOptions,
  shown: string,
): Promise<CommandResult<string | Buffer>> {
  const { stdin, timeout, signal, encoding, reject = true } = options
  const start = performance.now()
  const result = (status: ExecStatus) =>
    toResult(status, shown, performance.now() - start, encoding)
  if (signal?.aborted) {
    throw new GuestError('ABORTED', `Command was cancelled before it began: ${shown}`, {
      cause: signal.reason,
    })
  }

  const program = {
    ...wrapCommand(file, args, options),
    input: stdin === undefined ? undefined : stdinBytes(stdin),
  }
  const withdraw = new AbortController()
  const mayStop = timeout !== undefined || signal !== undefined
  const started = (mayStop ? startKillable : startProgram)(agent, program, withdraw.signal)
  let stopWatching = () => {}
  const stopped = new Promise<Stop>((resolve) => {
    stopWatching = watchStop(options, resolve)
  })
  const outcome = await Promise.race([ending(started), stopped]).finally(stopWatching)

  if ('how' in outcome) {
    withdraw.abort()
    if (outcome.code === 'TIMEOUT' && !agent.answered) throw missingAgentError(timeout ?? 0)
    const status = await killProgram(agent, started)
    throw new CommandError(
      outcome.code,
      `Command ${outcome.how}: ${shown}`,
      result(status ?? { exited: false }),
      { cause: outcome.cause },
    )
  }
  const done = result(outcome)
  if (outcome['out-truncated'] || outcome['err-truncated']) {
    const stream = outcome['out-truncated'] ? 'stdout' : 'stderr'
    throw new CommandError(
      'GUEST_OUTPUT_TRUNCATED',
      `Command printed more than the guest agent keeps (16 MiB) to ${stream}: ${shown}`,
      done,
      { hint: 'let the command write to a file in the guest, and get that with vm.readFile' },
    )
  }
  if (done.failed && reject) {
    const how = done.signal === undefined ? `with exit code ${done.exitCode}` : `by ${done.signal}`
    throw new CommandError('GUEST_COMMAND_FAILED', `Command failed ${how}: ${shown}`, done)
  }
  return done
}
