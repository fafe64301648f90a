import type { Writable } from 'node:stream'
import { isVmStatesError } from '../../../params/errors.js'
import { withDeadline } from '../../../qemu/deadline.js'
import type { AgentCallOptions } from '../../agent/client.js'
import { CallsUnderWay } from '../../channel/calls-under-way.js'
import type {
  Channel,
  Program,
  ProgramStatus,
  RunningProgram,
  StartOptions,
} from '../../channel/channel.js'
import { signalName } from '../../channel/signal-name.js'
import { catError } from '../../files/cat-error.js'
import type { GuestError } from '../../guest-error.js'
import { quoteWord } from '../../shell/quote.js'
import { missingConsoleError } from '../shell/console-shell.js'
import { carriedBytes } from '../shell/most-carried.js'
import type { ProgramEnd } from '../shell/run-program.js'
import type { ConsoleLink } from './console-link.js'

/** Milliseconds: as long as sshd gets. */
const LOGIN_TIMEOUT = 30_000

/** What shells add to the number of a signal that has ended a program. */
const SIGNALLED = 128
const LAST_SIGNAL = 64

const NOTHING = Buffer.alloc(0)

const NEVER_BEGUN: ProgramEnd = { exitCode: 137, stdout: NOTHING, stderr: NOTHING }

/**
 * The way to a guest over its serial console: slow, but without agent and network. One program runs after the
 * other, and what it prints comes when it has ended.
 */
export class ConsoleChannel implements Channel {
  readonly agent = undefined
  /** Longer than the shell waits for its Ctrl-C to be obeyed. */
  readonly killTimeout = 10_000
  readonly #link: ConsoleLink
  readonly #calls = new CallsUnderWay()
  #hasAnswered = false

  constructor(link: ConsoleLink) {
    this.#link = link
  }

  get answered(): boolean {
    return this.#hasAnswered
  }

  async connect({ timeout = LOGIN_TIMEOUT, signal }: AgentCallOptions = {}): Promise<void> {
    try {
      await this.#calls.begin(() => this.#link.shell.open({ timeout, signal }))
    } catch (error) {
      throw isVmStatesError(error, 'TIMEOUT') ? this.missing(timeout) : error
    }
    this.#hasAnswered = true
  }

  async start(
    { path, arg, input, stdout, stderr }: Program,
    { signal }: StartOptions = {},
  ): Promise<RunningProgram> {
    const stdin =
      input === undefined || Buffer.isBuffer(input)
        ? input
        : await carriedBytes(input, `the input of ${path}`)
    const killed = new AbortController()
    signal?.addEventListener('abort', () => killed.abort(), { once: true })
    if (signal?.aborted) killed.abort()
    const script = `exec ${[path, ...arg].map(quoteWord).join(' ')}`
    const run = async () => {
      const patience = { signal: killed.signal }
      const turn = {
        withdrawn: this.#calls.closed,
        onBegin: () => {
          this.#hasAnswered = true
        },
      }
      const end = await this.#link.shell
        .execute({ script, stdin }, path, patience, turn)
        .catch((error: unknown) => {
          if (isVmStatesError(error, 'ABORTED')) return NEVER_BEGUN
          throw error
        })
      const { stdout: printed, stderr: complained, ...how } = toStatus(end)
      await Promise.all([deliver(stdout, printed), deliver(stderr, complained)])
      return {
        ...how,
        stdout: stdout === undefined ? printed : NOTHING,
        stderr: stderr === undefined ? complained : NOTHING,
      }
    }
    const ended = this.#calls.begin(run)
    ended.catch(() => {}) // whoever awaits it hears of it; no one may be left to
    const kill = async () => {
      killed.abort()
      await ended.catch(() => {})
    }
    return { ended, kill }
  }

  async readFile(path: string, patience: AgentCallOptions = {}): Promise<Buffer> {
    const { ended, kill } = await this.start({ path: 'cat', arg: ['--', path] })
    const status = await withDeadline(ended, `reading ${path}`, patience).catch(
      (error: unknown) => {
        kill().catch(() => {})
        throw error
      },
    )
    if (status.exitCode !== 0) throw catError(path, status)
    return status.stdout
  }

  missing(timeout: number): GuestError {
    return missingConsoleError(timeout)
  }

  close(reason: () => GuestError): void {
    this.#calls.close(reason)
  }
}

/** A shell tells of a signal by the exit code. */
function toStatus({ exitCode, stdout, stderr }: ProgramEnd): ProgramStatus {
  const number = exitCode - SIGNALLED
  return number > 0 && number <= LAST_SIGNAL
    ? { exitCode: undefined, signal: signalName(number), stdout, stderr }
    : { exitCode, signal: undefined, stdout, stderr }
}

/** Whoever takes it may have failed: that is told elsewhere. */
async function deliver(taker: Writable | undefined, bytes: Buffer): Promise<void> {
  if (taker !== undefined) await new Promise<void>((resolve) => taker.end(bytes, () => resolve()))
}
