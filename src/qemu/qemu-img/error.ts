import type { ErrorCode } from '../../params/error-codes.js'
import { VmStatesError } from '../../params/errors.js'

const MEANINGS: readonly { output: RegExp; code: ErrorCode; says: string; hint?: string }[] = [
  {
    output: /Failed to get (shared )?"\w+(?: \w+)*" lock/,
    code: 'IMAGE_IN_USE',
    says: 'is in use by another process',
    hint: 'Shut down the machine that runs on it, and try again.',
  },
  {
    output: /No space left on device/,
    code: 'DISK_FULL',
    says: 'cannot be written: no space is left on the device',
  },
  {
    output: /Permission denied|Read-only file system/,
    code: 'ACCESS_DENIED',
    says: 'is not accessible for this user',
  },
]

/** What a process left behind. */
interface Outcome {
  exitCode?: number
  signal?: string
  stdout: string
  stderr: string
}

/** A failed qemu-img command. */
export class QemuImgError extends VmStatesError {
  override readonly name = 'QemuImgError'
  /** The program and its arguments. */
  readonly command: readonly string[]
  /** Undefined if a signal ended it. */
  readonly exitCodeOfTool: number | undefined
  /** Everything that it printed. */
  readonly output: string

  /** @param file - the image that the command was about */
  constructor(
    file: string,
    command: readonly string[],
    { exitCode, signal, stdout, stderr }: Outcome,
  ) {
    const meaning = MEANINGS.find(({ output }) => output.test(stderr))
    const said =
      stderr
        .trim()
        .split('\n')[0]
        ?.replace(/^qemu-img: /, '') ?? ''
    const how =
      exitCode === undefined ? `was ended by ${signal}` : `failed with exit code ${exitCode}`
    super(
      meaning?.code ?? 'QEMU_IMG_FAILED',
      meaning === undefined
        ? `${command.slice(0, 2).join(' ')} on ${file} ${how}${said === '' ? '' : `: ${said}`}`
        : `${file} ${meaning.says}`,
      { hint: meaning?.hint },
    )
    this.command = command
    this.exitCodeOfTool = exitCode
    this.output = `${stdout}${stderr}`
  }
}
