import { VmStatesError } from '../params/errors.js'
import type { Liveness } from '../params/liveness.js'
import { showValue } from '../params/parse.js'
import type { Patience } from '../qemu/deadline.js'
import { GuestConsole } from './console/console.js'
import { exec } from './exec/exec.js'
import { checkGuestPath, type ExecOptions, stdinBytes } from './exec/options.js'
import type { CommandResult } from './exec/result.js'
import { exists, waitForFile } from './files/exists.js'
import { checkMode, type WriteFileOptions, writeFile } from './files/write-file.js'
import type { GuestAccess } from './guest-access.js'
import { GuestSystem } from './guest-system.js'
import { shellScript } from './shell/script.js'
import { createShell, type Shell } from './shell/shell.js'
import { download } from './transfer/download.js'
import type { TransferOptions } from './transfer/run-transfer.js'
import { upload } from './transfer/upload.js'

/**
 * A running virtual machine. Its commands go through the QEMU guest agent, over a virtio-serial
 * channel: no network is needed; or over ssh or the console, where the machine is defined so. Nothing is sent to the guest before the
 * first call.
 *
 * Every error of a call is a {@link GuestError} that ends with the last lines of the serial console.
 *
 * @typeParam M - the machine's name
 * @typeParam L - whether the machine comes from a disk state or a live one
 */
export class Vm<M extends string = string, L extends Liveness = Liveness> extends GuestSystem {
  /** The name of the machine's definition. */
  readonly machine: M
  /** The kind of state that the machine comes from. */
  readonly liveness: L
  /** The serial console. */
  readonly console: GuestConsole
  /**
   * Runs a shell script in the guest and waits for its end:
   *
   * ```ts
   * const { stdout } = await vm.$`grep -c ${pattern} ${files}`
   * await vm.$({ cwd: '/srv', timeout: 60_000 })`make install`
   * ```
   *
   * The text is a script for `/bin/sh -e`, as it is written: a backslash is the shell's, except
   * before a backtick and `${`. Each value is quoted as one word, an array as several; a value must
   * not stand inside quotes of the script's own. The script stops at the first command that fails.
   *
   * @throws CommandError as {@link Vm.exec} does
   * @throws VmStatesError `INVALID_VALUE` for a value that is not text, a number or an array of them
   */
  readonly $: Shell
  readonly #access: GuestAccess

  /** @internal */
  constructor(machine: M, liveness: L, access: GuestAccess) {
    super(access)
    this.machine = machine
    this.liveness = liveness
    this.#access = access
    this.console = new GuestConsole(access)
    this.$ = createShell(
      (tag, template, values, options) =>
        access.call(tag, async ({ channel, onCommand }) => {
          const script = shellScript(template, values)
          const company = { script: script.trim(), onCommand }
          return exec(channel, '/bin/sh', ['-ec', script], options, company)
        }),
      {},
    )
  }

  /** The name of the state that the machine was last restored to. */
  get state(): string | undefined {
    return this.#access.state
  }

  /**
   * Runs a program in the guest and waits for its end. Arguments are passed as they are, without a
   * shell. The program has the environment of the guest agent, or of sshd, and reads nothing but `stdin`.
   *
   * A process that it leaves behind delays the end for as long as it holds the output: redirect it.
   *
   * @param file - a path in the guest, or a name that its `PATH` finds
   * @throws CommandError `GUEST_COMMAND_FAILED` if it ends with an exit code other than 0 (127 and
   *   126 where it cannot be started, as in a shell) or by a signal, unless `reject` is `false`;
   *   `TIMEOUT` and `ABORTED` once its process group was killed; `GUEST_OUTPUT_TRUNCATED` if it
   *   printed more than 16 MiB to one stream
   */
  exec(
    file: string,
    args: readonly string[] | undefined,
    options: ExecOptions & { encoding: 'buffer' },
  ): Promise<CommandResult<Buffer>>
  exec(
    file: string,
    args?: readonly string[],
    options?: ExecOptions & { encoding?: 'utf8' | undefined },
  ): Promise<CommandResult>
  exec(
    file: string,
    args: readonly string[] | undefined,
    options: ExecOptions,
  ): Promise<CommandResult<string | Buffer>>
  exec(
    file: string,
    args: readonly string[] = [],
    options: ExecOptions = {},
  ): Promise<CommandResult<string | Buffer>> {
    return this.#access.call(this.exec, ({ channel, onCommand }) =>
      exec(channel, file, args, options, { onCommand }),
    )
  }

  /**
   * Runs the text of a shell script by `/bin/sh -e`, as {@link $} does with a template. (Lago's
   * `VM.ssh_script`)
   *
   * @throws CommandError as {@link Vm.exec} does
   */
  shell(
    script: string,
    options: ExecOptions & { encoding: 'buffer' },
  ): Promise<CommandResult<Buffer>>
  shell(
    script: string,
    options?: ExecOptions & { encoding?: 'utf8' | undefined },
  ): Promise<CommandResult>
  shell(script: string, options: ExecOptions = {}): Promise<CommandResult<string | Buffer>> {
    return this.#access.call(this.shell, ({ channel, onCommand }) =>
      exec(channel, '/bin/sh', ['-ec', script], options, { script: script.trim(), onCommand }),
    )
  }

  /**
   * Reads a file in the guest.
   *
   * @param path - an absolute path
   * @param encoding - `utf8` for text, the default, or `buffer` for bytes
   * @throws GuestError `GUEST_FILE_FAILED`
   */
  readFile(path: string, encoding: 'buffer'): Promise<Buffer>
  readFile(path: string, encoding?: 'utf8'): Promise<string>
  readFile(path: string, encoding: 'utf8' | 'buffer' = 'utf8'): Promise<string | Buffer> {
    return this.#access.call(this.readFile, async ({ channel }) => {
      checkGuestPath('readFile.path', path)
      const bytes = await channel.readFile(path)
      return encoding === 'buffer' ? bytes : bytes.toString('utf8')
    })
  }

  /**
   * Writes a file in the guest, replacing one that is there: under another name first, then renamed.
   *
   * @param path - an absolute path; its directory must exist
   * @throws GuestError `GUEST_FILE_FAILED`
   */
  writeFile(
    path: string,
    data: string | Uint8Array,
    options: WriteFileOptions = {},
  ): Promise<void> {
    return this.#access.call(this.writeFile, async ({ channel }) => {
      checkGuestPath('writeFile.path', path)
      checkMode(options.mode)
      if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
        const right = 'it must be text or bytes'
        throw new VmStatesError('INVALID_VALUE', `writeFile.data is ${showValue(data)}: ${right}`)
      }
      await writeFile(channel, path, stdinBytes(data), options)
    })
  }

  /**
   * Copies a file or a folder of the host into the guest: binary files of any size, permissions, symbolic
   * links. It is complete when it gets its name; a folder that is there already gets the new content.
   * (Lago's `VM.copy_to`)
   *
   * @param from - a path of the host
   * @param to - the absolute path that it gets; its directory must exist
   * @throws GuestError `GUEST_FILE_FAILED`; `HOST_FILE_FAILED`, `TIMEOUT`, `ABORTED`
   */
  upload(from: string, to: string, options: TransferOptions = {}): Promise<void> {
    return this.#access.call(this.upload, ({ channel }) => upload(channel, from, to, options))
  }

  /**
   * Copies a file or a folder of the guest to the host, as {@link upload} does the other way. (Lago's
   * `VM.copy_from`)
   *
   * @param from - an absolute path in the guest
   * @param to - the path that it gets on the host; its directory must exist
   * @throws GuestError `GUEST_FILE_FAILED`; `HOST_FILE_FAILED`, `TIMEOUT`, `ABORTED`
   */
  download(from: string, to: string, options: TransferOptions = {}): Promise<void> {
    return this.#access.call(this.download, ({ channel }) => download(channel, from, to, options))
  }

  /**
   * Whether there is a file, a directory or anything else in the guest.
   *
   * @param path - an absolute path
   */
  exists(path: string): Promise<boolean> {
    return this.#access.call(this.exists, ({ channel }) => exists(channel, path))
  }

  /**
   * Waits until there is something in the guest at a path.
   *
   * @param path - an absolute path
   * @param patience - `timeout` in milliseconds, 30,000 by default
   * @throws GuestError `TIMEOUT`
   */
  waitForFile(path: string, patience: Patience = {}): Promise<void> {
    return this.#access.call(this.waitForFile, ({ channel }) =>
      waitForFile(channel, path, patience),
    )
  }

  /**
   * Makes a TCP port of the guest reachable from the host, and from it alone.
   *
   * @param hostPort - a free port that the host's kernel picks unless given
   * @returns where on the host to connect to
   * @throws VmStatesError `PORT_FORWARD_FAILED`
   */
  forwardPort(guestPort: number, hostPort?: number): Promise<{ host: string; port: number }> {
    return this.#access.call(this.forwardPort, async ({ process }) => {
      const forward = await process.forwardPort(guestPort, hostPort)
      return { host: '127.0.0.1', port: forward.hostPort }
    })
  }
}
