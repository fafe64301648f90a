import { VmStatesError } from '../../params/errors.js'
import { withoutBacking } from './address.js'
import { QemuImgError } from './error.js'
import { type QemuImgOptions, runQemuImg } from './run.js'

/** Exit code of `qemu-img check`: the image is sound, but holds space that nothing refers to. */
const ONLY_LEAKS = 3

/**
 * Reads the whole metadata of a qcow2 image that nothing runs on.
 *
 * @param file - absolute path
 * @throws VmStatesError `IMAGE_DAMAGED` if it is not sound; leaked clusters are no damage
 */
export async function check(
  file: string,
  { timeout = 3_600_000, signal }: QemuImgOptions = {},
): Promise<void> {
  try {
    await runQemuImg(['check', '-q', withoutBacking(file)], file, { timeout, signal })
  } catch (error) {
    if (!(error instanceof QemuImgError) || error.code !== 'QEMU_IMG_FAILED') throw error
    if (error.exitCodeOfTool === ONLY_LEAKS) return
    throw new VmStatesError('IMAGE_DAMAGED', `${file} is truncated or corrupt`, { cause: error })
  }
}
