import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import { check } from '../../qemu/qemu-img/check.js'
import { createBlank } from '../../qemu/qemu-img/create.js'
import { newNonce } from '../../store/names.js'
import { listStateFiles } from '../external/states.js'
import { workOn } from '../external/work-on.js'
import type { ImageTarget, OperationOptions, UnsetOptions } from '../image-backend.js'
import { helperFile } from '../swap/journal.js'
import { type Change, dropStaged, swapFiles } from '../swap/swap-files.js'
import { withImagesLocked } from './lock.js'
import { type Image, requireImages } from './require-images.js'

/**
 * Whether a target's root is there: every image exists (avocado-i2n: `check_root`). Changes nothing.
 *
 * @throws VmStatesError if one exists and is damaged, or no qcow2 image
 */
export async function checkRoot(target: ImageTarget): Promise<boolean> {
  try {
    await requireImages(target)
    return true
  } catch (error) {
    if (isVmStatesError(error, 'IMAGE_MISSING')) return false
    throw error
  }
}

/**
 * Makes sure that a target's root can be used: what a killed command left is undone, nothing runs on
 * the images, and their metadata are sound (avocado-i2n: `get_root`).
 *
 * @throws VmStatesError `IMAGE_MISSING`, `IMAGE_DAMAGED`, `IMAGE_IN_USE`
 */
export async function getRoot(target: ImageTarget, options: OperationOptions = {}): Promise<void> {
  await workOn(target, options, async (images) => {
    for (const { file } of images) await check(file, options)
  })
}

/**
 * Makes every image anew, without content (avocado-i2n: `set_root`).
 *
 * @param virtualSize - bytes of each disk
 * @throws VmStatesError `STATE_HAS_CHILDREN` if one exists and has states
 */
export async function setRoot(
  target: ImageTarget,
  virtualSize: number,
  options: OperationOptions = {},
): Promise<void> {
  if (await checkRoot(target)) await workOn(target, options, (images) => refuseStates(images))
  const files = [...new Set(target.disks.map(({ file }) => file))].sort()
  const changes: Change[] = []
  await withImagesLocked(files, async () => {
    try {
      for (const image of files) {
        const replacement = helperFile(image, `blank-${newNonce()}`)
        changes.push({ image, path: image, replacement })
        await createBlank(replacement, virtualSize, options)
      }
      await swapFiles(files, changes)
    } finally {
      await dropStaged(changes)
    }
  })
}

/**
 * Removes every image (avocado-i2n: `unset_root`).
 *
 * @throws VmStatesError `IMAGE_MISSING`, `IMAGE_IN_USE`, `STATE_HAS_CHILDREN` if one has states and
 *   they are not to go with it
 */
export async function unsetRoot(
  target: ImageTarget,
  { withChildren = false, ...options }: UnsetOptions = {},
): Promise<void> {
  await workOn(target, options, async (images, files) => {
    if (!withChildren) await refuseStates(images)
    const changes: Change[] = []
    for (const image of files) {
      const states = await listStateFiles(image)
      changes.push(...[image, ...states.map(({ file }) => file)].map((path) => ({ image, path })))
    }
    await swapFiles(files, changes)
  })
}

async function refuseStates(images: readonly Image[]): Promise<void> {
  for (const { file, header } of images) {
    const count = header.snapshotCount + (await listStateFiles(file)).length
    if (count === 0) continue
    throw new VmStatesError('STATE_HAS_CHILDREN', `${file} has ${count} states`, {
      hint: 'Remove them first, or with it.',
    })
  }
}
