import { VmStatesError } from '../../params/errors.js'
import { QemuImgError } from './error.js'

/** Milliseconds; for commands whose time does not grow with the image. */
const DEFAULT_TIMEOUT = 60_000

/** What every qemu-img command can be told. */
export interface QemuImgOptions {
  /** Milliseconds until the command is killed. */
  timeout?: number
  signal?: AbortSignal | undefined
}

/**
 * Runs qemu-img.
 *
 * @param args - an argument array, never a shell string
 * @param file - the image that errors are about
 * @returns what it printed on its standard output
 * @throws VmStatesError `QEMU_IMG_MISSING`, `TIMEOUT`, `ABORTED`; QemuImgError (`IMAGE_IN_USE`,
 *   `DISK_FULL`, `ACCESS_DENIED`, `IMAGE_MISSING`, else `QEMU_IMG_FAILED`)
 */
export async function runQemuImg(
  args: readonly string[],
  file: string,
  { timeout = DEFAULT_TIMEOUT, signal }: QemuImgOptions = {},
): Promise<string> {
  // Loading execa takes longer than most commands, and not every user of this module runs one.
  const { execa } = await import('execa')
  const result = await execa('qemu-img', args, {
    reject: false,
    stdin: 'ignore',
    stripFinalNewline: false,
    // Listings print local times.
    env: { TZ: 'UTC', LC_ALL: 'C.UTF-8' },
    timeout,
    forceKillAfterDelay: 1000,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  })
  if (!result.failed) return result.stdout
  // EACCES: nowhere, and a directory of PATH may not be searched.
  if (result.code === 'ENOENT' || result.code === 'EACCES') {
    throw new VmStatesError('QEMU_IMG_MISSING', 'qemu-img is not installed, or not in PATH', {
      hint: 'On Debian and Ubuntu: apt-get install qemu-utils',
    })
  }
  if (result.isCanceled) {
    throw new VmStatesError('ABORTED', `qemu-img ${args[0]} on ${file} was cancelled`, {
      cause: result,
    })
  }
  if (result.timedOut) {
    const message = `qemu-img ${args[0]} on ${file} did not end within ${timeout / 1000} s`
    throw new VmStatesError('TIMEOUT', message, { cause: result })
  }
  throw new QemuImgError(file, ['qemu-img', ...args], result)
}
