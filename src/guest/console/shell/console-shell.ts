import { monotonic } from '../../../params/clocks.js'
import { isVmStatesError } from '../../../params/errors.js'
import { type Patience, withDeadline } from '../../../qemu/deadline.js'
import { CommandError } from '../../exec/command-error.js'
import { checkCommand, type ExecOptions, stdinBytes } from '../../exec/options.js'
import { wrapCommand } from '../../exec/wrap.js'
import { fileError } from '../../files/file-error.js'
import { GuestError } from '../../guest-error.js'
import { quoteWord } from '../../shell/quote.js'
import type { ConsoleFeed } from '../console-feed.js'
import { type Credentials, checkLogin, type LoginOptions, logIn } from './log-in.js'
import { type Program, type ProgramEnd, runProgram } from './run-program.js'
import type { ShellSession } from './shell-session.js'
import { Stop, Stopped } from './stop.js'

/** Milliseconds: guests boot in less. */
const LOGIN_TIMEOUT = 120_000

/** How a program is run over a console. */
export type ShellOptions = Pick<ExecOptions, 'stdin' | 'env' | 'cwd' | 'timeout' | 'signal'>

/** A program's turn at the console. */
interface Turn {
  /** Whether it is not to begin any more. */
  withdrawn?: AbortSignal
  /** Called when it begins: somebody is logged in. */
  onBegin?: () => void
}

/** The error of a guest whose console nobody could be logged in on within so many milliseconds. */
export function missingConsoleError(timeout: number): GuestError {
  const text = `nobody could be logged in on the guest's console within ${timeout} ms`
  return new GuestError('GUEST_CONSOLE_MISSING', text, {
    hint: "the guest needs a shell or a login on its serial console (console=ttyS0 among its kernel's parameters), and the machine its consoleUser and consolePassword",
  })
}

/**
 * Programs and files of a guest over its serial console: slow, but without agent and network. One thing is done
 * after the other.
 */
export class ConsoleShell {
  readonly #feed: ConsoleFeed
  #credentials: Credentials
  #session: ShellSession | undefined
  #lastTurn: Promise<unknown> = Promise.resolve()

  /** @param credentials - who logs in unless {@link login} says otherwise */
  constructor(feed: ConsoleFeed, credentials: Credentials = {}) {
    this.#feed = feed
    this.#credentials = credentials
  }

  /**
   * Logs in, or finds the shell that is there. Later calls do the same again where that was lost.
   *
   * @throws GuestError `GUEST_LOGIN_FAILED`, `TIMEOUT`, `ABORTED`
   */
  async login(options: LoginOptions): Promise<void> {
    checkLogin(options)
    const { user, password, timeout = LOGIN_TIMEOUT, signal } = options
    await this.#inTurn('the login on the console', { timeout, signal }, async (stop) => {
      if (user !== undefined || password !== undefined) this.#credentials = { user, password }
      this.#session = undefined
      await this.#open(stop)
    })
  }

  /**
   * Logs in, unless somebody is.
   *
   * @throws as {@link login}
   */
  async open(patience: Patience): Promise<void> {
    await this.#inTurn('the login on the console', patience, async (stop) => {
      await this.#open(stop)
    })
  }

  /** Tells that the guest boots anew, or goes back to where it was: the next call logs in. */
  forget(): void {
    this.#session?.lose()
    this.#session = undefined
  }

  /**
   * Runs a program and waits for its end.
   *
   * @returns its exit code (128 and more for a signal, as shells have it), and all that it printed, as it was
   * @throws CommandError `TIMEOUT`, `ABORTED` once its process group was killed; GuestError `GUEST_LOGIN_FAILED`,
   *   `GUEST_CONSOLE_LOST`, `GUEST_CONSOLE_LIMIT`, `GUEST_FILE_FAILED`
   */
  async exec(
    file: string,
    args: readonly string[],
    options: ShellOptions = {},
  ): Promise<ProgramEnd> {
    checkCommand(file, args, options)
    const { path, arg } = wrapCommand(file, args, options)
    const script = `exec ${[path, ...arg].map(quoteWord).join(' ')}`
    return await this.run(script, [file, ...args].map(quoteWord).join(' '), options)
  }

  /**
   * Runs a shell script in a shell of its own.
   *
   * @param shown - the command as errors show it
   * @throws as {@link exec}
   */
  async run(script: string, shown: string, options: ShellOptions = {}): Promise<ProgramEnd> {
    const began = monotonic()
    const stdin = options.stdin === undefined ? undefined : stdinBytes(options.stdin)
    const end = await this.execute({ script, stdin }, shown, options)
    if (end.stopped === undefined) return end
    const how =
      end.stopped === 'TIMEOUT' ? `timed out after ${options.timeout} ms` : 'was cancelled'
    const { stdout, stderr, exitCode } = end
    throw new CommandError(
      end.stopped,
      `Command ${how}: ${shown}`,
      {
        ...{ command: shown, stdout, stderr, exitCode, signal: undefined, failed: true },
        duration: monotonic() - began,
      },
      { cause: options.signal?.reason },
    )
  }

  /**
   * Runs a program.
   *
   * @param shown - the command as errors show it
   * @returns how it ended; if it was killed, why
   * @throws GuestError as {@link exec}; `TIMEOUT`, `ABORTED` if it was stopped before it began;
   *   `GUEST_CONSOLE_MISSING`
   */
  async execute(
    program: Program,
    shown: string,
    patience: Patience,
    { withdrawn, onBegin }: Turn = {},
  ): Promise<ProgramEnd> {
    return await this.#inTurn(`Command ${shown}`, patience, async (stop) => {
      if (withdrawn?.aborted) throw new GuestError('ABORTED', `Command ${shown} was withdrawn`)
      const session = await this.#openInTime(stop)
      onBegin?.()
      return await runProgram(session, program, stop)
    })
  }

  /**
   * Writes a file.
   *
   * @throws GuestError `GUEST_FILE_FAILED`
   */
  async put(path: string, bytes: Uint8Array, patience: Patience = {}): Promise<void> {
    const options = { ...patience, stdin: bytes }
    const end = await this.exec('/bin/sh', ['-c', 'cat >"$1"', 'sh', path], options)
    if (end.exitCode !== 0) throw fileError('written', path, end.stderr.toString().trim())
  }

  /**
   * Reads a file.
   *
   * @throws GuestError `GUEST_FILE_FAILED`
   */
  async get(path: string, patience: Patience = {}): Promise<Buffer> {
    const end = await this.exec('/bin/sh', ['-c', 'cat <"$1"', 'sh', path], patience)
    if (end.exitCode !== 0) throw fileError('read', path, end.stderr.toString().trim())
    return end.stdout
  }

  async #open(stop: Stop): Promise<ShellSession> {
    this.#session ??= await logIn(this.#feed, this.#credentials, stop)
    return this.#session
  }

  /** As {@link #open}, for who has not asked for a login and may wait for ever. */
  async #openInTime(stop: Stop): Promise<ShellSession> {
    const limit = stop.within(LOGIN_TIMEOUT)
    return await this.#open(limit).catch((error: unknown) => {
      if (!(error instanceof Stopped) || stop.code !== undefined) throw error
      throw missingConsoleError(LOGIN_TIMEOUT)
    })
  }

  async #inTurn<T>(what: string, patience: Patience, work: (stop: Stop) => Promise<T>): Promise<T> {
    const stop = new Stop(patience)
    const turn = this.#lastTurn
    const done = turn.then(() => this.#try(what, stop, work))
    this.#lastTurn = done.catch(() => {})
    await withDeadline(turn, what, patience)
    return await done
  }

  async #try<T>(what: string, stop: Stop, work: (stop: Stop) => Promise<T>): Promise<T> {
    try {
      stop.throwIfStopped()
      return await work(stop)
    } catch (error) {
      if (isVmStatesError(error, 'GUEST_CONSOLE_LOST')) this.#session = undefined
      if (!(error instanceof Stopped)) throw error
      this.#session = undefined
      const code = stop.code ?? 'TIMEOUT'
      const how = code === 'TIMEOUT' ? 'did not end in time' : 'was cancelled'
      throw new GuestError(code, `${what} ${how}${error.message}`, { cause: stop.cause })
    }
  }
}
