import { chmod, chown, rm, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import { createOverlay } from '../../qemu/qemu-img/create.js'
import { newNonce } from '../../store/names.js'
import type { OperationOptions } from '../image-backend.js'
import { helperFile } from '../swap/journal.js'

/**
 * Makes the empty overlay that takes an image's place, with its owner and permissions.
 *
 * @param image - whose place it takes; it is written beside it, under a short-lived name
 * @param on - the state it stands on, beside the image; it need not be there yet
 * @returns its path
 */
export async function stageOverlay(
  image: string,
  on: { file: string; virtualSize: number },
  options?: OperationOptions,
): Promise<string> {
  const file = helperFile(image, `overlay-${newNonce()}`)
  const backing = { file: basename(on.file), format: 'qcow2', virtualSize: on.virtualSize } as const
  try {
    await createOverlay(file, backing, options)
    const [old, made] = await Promise.all([stat(image), stat(file)])
    if (old.uid !== made.uid || old.gid !== made.gid) await chown(file, old.uid, old.gid)
    if (old.mode !== made.mode) await chmod(file, old.mode)
    return file
  } catch (error) {
    await rm(file, { force: true })
    if (isVmStatesError(error, 'ACCESS_DENIED')) {
      const message = `the folder ${dirname(image)} cannot be written to by this user`
      throw new VmStatesError('ACCESS_DENIED', message, { cause: error })
    }
    throw error
  }
}
