import { lstat } from 'node:fs/promises'
import { VmStatesError } from '../../params/errors.js'
import { fileError } from '../../qemu/file-error.js'
import { withImagesLocked } from '../image/lock.js'
import { refuseRunning } from '../image/refuse-running.js'
import { type Image, requireImages } from '../image/require-images.js'
import type { ImageTarget, OperationOptions } from '../image-backend.js'
import { recoverSwap } from '../swap/recover.js'

/**
 * Changes images that nothing runs on and no other command works on, after undoing what a killed
 * one left half done.
 *
 * @throws VmStatesError as `requireImages`, `IMAGE_IN_USE`, `IMAGE_UNSUPPORTED`
 */
export async function workOn(
  target: ImageTarget,
  options: OperationOptions,
  work: (images: readonly Image[], files: readonly string[]) => Promise<void>,
): Promise<void> {
  await workAhead(target, options, async (images, files, idle) => {
    await idle
    await work(images, files)
  })
}

/**
 * As {@link workOn}, but whether something runs on the images is still being found out: to read
 * `/proc/locks` may take as long as a qemu-img.
 *
 * @param work - awaits `idle` before it changes anything that others see
 */
export async function workAhead(
  target: ImageTarget,
  { signal }: OperationOptions,
  work: (images: readonly Image[], files: readonly string[], idle: Promise<void>) => Promise<void>,
): Promise<void> {
  const files = [...new Set(target.disks.map(({ file }) => file))].sort()
  await withImagesLocked(files, async () => {
    await recoverSwap(files, withImagesLocked)
    const images = await requireImages(target)
    await Promise.all(images.map(refuseUnfit))
    const idle = refuseRunning(files, signal)
    // Work that fails before it awaits this has an error of its own.
    idle.catch(() => {})
    await work(images, files, idle)
  })
}

async function refuseUnfit({ file, header }: Image): Promise<void> {
  const status = await lstat(file).catch((error: unknown) => {
    throw fileError(error, file)
  })
  const refuse = (problem: string, hint: string): VmStatesError =>
    new VmStatesError('IMAGE_UNSUPPORTED', `${file} ${problem}`, { hint })
  if (status.isSymbolicLink()) {
    throw refuse(
      'is a symbolic link',
      'Give the path of the image itself: states are kept beside it.',
    )
  }
  if (status.nlink > 1) {
    throw refuse('has a second name (a hard link)', 'Both would change, and one state be lost.')
  }
  if (header.dataFile !== undefined) {
    throw refuse('keeps its data in another file', 'Use the backend "internal", or convert it.')
  }
}
