import { VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'
import type { Patience } from '../../qemu/deadline.js'
import { checkTimeout } from '../exec/options.js'
import type { GuestAccess } from '../guest-access.js'
import type { ConsoleMatch } from './expect.js'
import type { LoginOptions } from './shell/log-in.js'

/** What a command over the console did. */
export interface ConsoleResult {
  stdout: string
  stderr: string
  /** 128 and more for a signal, as shells have it. */
  exitCode: number
}

/** The Enter key of a terminal. */
const ENTER = '\r'

/**
 * The serial console of a machine: `ttyS0` of a PC, unless its definition says otherwise. What comes over it is in a file of the host's, from power-on,
 * so that nothing is lost and no guest waits when nobody reads. (`QEMUMachine.console_socket`)
 */
export class GuestConsole {
  readonly #access: GuestAccess

  /** @internal */
  constructor(access: GuestAccess) {
    this.#access = access
  }

  /** Absolute path of the log, on the host. */
  get path(): string {
    return this.#access.process.consoleFile
  }

  /**
   * The end of what came over the line since power-on, or since the restore.
   *
   * @param maxBytes - how much at most; 4096 by default
   */
  tail(maxBytes?: number): Promise<string> {
    return this.#access.call(this.tail, ({ process }) => process.consoleTail(maxBytes))
  }

  /**
   * Types on the console; `\x03` is Ctrl-C. A terminal of Linux takes lines of at most 4095 characters, and
   * loses what comes while 4096 wait to be read.
   *
   * @throws GuestError `GUEST_GONE`
   */
  send(text: string | Uint8Array): Promise<void> {
    return this.#access.call(this.send, async ({ process }) => {
      if (typeof text !== 'string' && !(text instanceof Uint8Array)) {
        const right = 'it must be text or bytes'
        throw new VmStatesError('INVALID_VALUE', `send.text is ${showValue(text)}: ${right}`)
      }
      await process.serial.write(text)
    })
  }

  /** Types a line on the console, and Enter. */
  sendLine(line = ''): Promise<void> {
    return this.#access.call(this.sendLine, async ({ process }) => {
      if (typeof line !== 'string') {
        const right = 'it must be text'
        throw new VmStatesError('INVALID_VALUE', `sendLine.line is ${showValue(line)}: ${right}`)
      }
      await process.serial.write(line + ENTER)
    })
  }

  /**
   * Waits for something on the console: the first that came since the last match, or since the machine was
   * restored, or that comes. So it may be called after what leads to it.
   *
   * ```ts
   * await vm.console.waitFor(/login: $/)
   * ```
   *
   * Escape sequences are left out, and lines end with `\n`. The end of what has come is the end of the text to
   * a regular expression: `$` is met where nothing has followed yet.
   *
   * @param pattern - a regular expression, or a text as it is
   * @param patience - `timeout` in milliseconds, for all of the waiting; 60,000 by default
   * @throws GuestError `TIMEOUT`, with what came instead; `ABORTED`; `GUEST_GONE` if the machine ends first
   */
  waitFor(pattern: RegExp | string, patience: Patience = {}): Promise<ConsoleMatch> {
    return this.#access.call(this.waitFor, ({ console }) =>
      console.expect.waitFor(pattern, patience),
    )
  }

  /**
   * Logs in, over the console alone: for guests with neither agent nor ssh. Waits until there is a login prompt or
   * a shell; a shell that is there already is used as it is. It becomes one for {@link run}: with a prompt of its
   * own, and without an echo.
   *
   * @param options - `user` and `password`, where the guest asks for them; `timeout` in milliseconds for all of
   *   it, 120,000 by default
   * @throws GuestError `GUEST_LOGIN_FAILED`, with what the guest says; `TIMEOUT`, `ABORTED`, `GUEST_GONE`
   */
  login(options: LoginOptions = {}): Promise<void> {
    return this.#access.call(this.login, ({ console }) => console.shell.login(options))
  }

  /**
   * Runs a shell script over the console, in a shell of its own, and waits for its end; {@link login} must have
   * been called, unless the console has a shell without. One runs after the other. What it prints comes through
   * exactly, also where the kernel speaks in between.
   *
   * @param options - `timeout` in milliseconds, for all of it; none by default
   * @returns whatever its exit code is; one final newline is stripped
   * @throws CommandError `TIMEOUT`, `ABORTED` once all that it had started was killed; GuestError
   *   `GUEST_LOGIN_FAILED`, `GUEST_CONSOLE_LOST`, `GUEST_FILE_FAILED` if the guest has no room for what it prints,
   *   `GUEST_GONE`
   */
  run(command: string, options: Patience = {}): Promise<ConsoleResult> {
    return this.#access.call(this.run, async ({ console }) => {
      if (typeof command !== 'string' || command.trim() === '' || command.includes('\0')) {
        const right = 'it must be a command, without NUL characters'
        throw new VmStatesError('INVALID_VALUE', `run.command is ${showValue(command)}: ${right}`)
      }
      checkTimeout('run.options.timeout', options.timeout)
      const { exitCode, stdout, stderr } = await console.shell.run(command, command, options)
      return { exitCode, stdout: textOf(stdout), stderr: textOf(stderr) }
    })
  }

  /**
   * The bytes that came over the line since the machine was restored, or switched on, and then as they come;
   * ends with the machine. Nothing is lost to who reads slowly.
   */
  stream(): AsyncIterable<Buffer> {
    const { call } = this.#access
    const opened = call.bind(this.#access)
    return {
      async *[Symbol.asyncIterator]() {
        yield* await opened(GuestConsole.prototype.stream, async ({ console }) => console.feed)
      },
    }
  }

  /**
   * What came over the line since the machine was restored, or switched on, for people: without escape
   * sequences, and each line with the seconds that the CPUs had run when it began.
   *
   * ```
   *     1.35 | SeaBIOS (version 1.16.2-debian-1.16.2-1)
   *     4.10 | debian login:
   * ```
   *
   * The seconds are exact to 50 ms, and less where this process is busy.
   *
   * @param maxBytes - how much of its end at most; 1 MiB by default
   */
  transcript(maxBytes?: number): Promise<string> {
    return this.#access.call(this.transcript, ({ process }) => process.serial.transcript(maxBytes))
  }
}

function textOf(bytes: Buffer): string {
  return bytes.toString().replace(/\r?\n$/, '')
}
