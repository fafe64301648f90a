import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileError } from '../../qemu/file-error.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { createOverlay } from '../../qemu/qemu-img/create.js'
import { writeOverlays } from '../../states/catalogue/write-overlays.js'

/**
 * Leaves an overlay on an image, with changes.
 *
 * @param file - absolute path, where nothing is yet
 * @param edit - makes the changes in the overlay, before it has its name
 * @throws VmStatesError `OUTPUT_EXISTS`, `ACCESS_DENIED`, `IMAGE_IN_USE`; what `edit` throws
 */
export async function overlayOnImage(
  disk: Disk,
  file: string,
  edit: (file: string) => Promise<void>,
): Promise<string> {
  await mkdir(dirname(file), { recursive: true }).catch((error: unknown) => {
    throw fileError(error, dirname(file))
  })
  const create = async (path: string) => {
    await createOverlay(path, disk)
    await edit(path)
  }
  await writeOverlays([{ file, create }], async () => {})
  return file
}
