import { lstat } from 'node:fs/promises'
import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import { check } from '../../qemu/qemu-img/check.js'
import { createBlank } from '../../qemu/qemu-img/create.js'
import { newNonce } from '../../store/names.js'
import { imagesOn, listStateFiles } from '../external/states.js'
import { workOn } from '../external/work-on.js'
import type { ImageTarget, OperationOptions, UnsetOptions } from '../image-backend.js'
import { helperFile } from '../swap/journal.js'
import { recoverSwap } from '../swap/recover.js'
import { type Change, dropStaged, swapFiles } from '../swap/swap-files.js'
import { withImagesLocked } from './lock.js'
import { refuseRunning } from './refuse-running.js'
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

/** Whether a file is at the place of any of a target's images, whatever it is. Changes nothing. */
export async function hasAnyImage(target: ImageTarget): Promise<boolean> {
  return (await filesThere(target)).length > 0
}

/** What {@link setRoot} can be told. */
export interface SetRootOptions extends OperationOptions {
  /** Make images anew that are there; what they hold is lost. */
  replace?: boolean
}

/**
 * Makes every image, without content (avocado-i2n: `set_root`).
 *
 * @param virtualSize - bytes of each disk
 * @throws VmStatesError `STATE_EXISTS` if one is there and not to be replaced,
 *   `STATE_HAS_CHILDREN` if one has states, or another image stands on it
 */
export async function setRoot(
  target: ImageTarget,
  virtualSize: number,
  { replace = false, ...options }: SetRootOptions = {},
): Promise<void> {
  const files = [...new Set(target.disks.map(({ file }) => file))].sort()
  await withImagesLocked(files, () => recoverSwap(files, withImagesLocked))
  const there = await filesThere(target)
  const missing = files.filter((file) => !there.includes(file))
  const make = async (): Promise<void> => {
    const changes: Change[] = []
    try {
      for (const image of files) {
        const replacement = helperFile(image, `blank-${newNonce()}`)
        changes.push({ image, path: image, replacement })
        await createBlank(replacement, virtualSize, options)
      }
      if (!replace) await refuseExisting(target)
      await swapFiles(files, changes)
    } finally {
      await dropStaged(changes)
    }
  }
  if (!replace) await refuseExisting(target)
  if (there.length === 0) return await withImagesLocked(files, make)
  const disks = target.disks.filter(({ file }) => there.includes(file))
  await workOn({ disks }, options, async (images) => {
    await refuseStates(images)
    await refuseOverlays(files, [])
    await withImagesLocked(missing, make)
  })
}

/**
 * Removes every image (avocado-i2n: `unset_root`).
 *
 * @throws VmStatesError `IMAGE_MISSING`, `IMAGE_IN_USE`, `STATE_HAS_CHILDREN` if one has states and
 *   they are not to go with it, or another image stands on it
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
    const doomed = changes.map(({ path }) => path)
    await refuseRunning(doomed, options.signal)
    await refuseOverlays(files, doomed)
    await swapFiles(files, changes)
  })
}

async function filesThere({ disks }: ImageTarget): Promise<string[]> {
  const found = await Promise.all(
    disks.map(async ({ file }) =>
      lstat(file).then(
        () => file,
        () => [],
      ),
    ),
  )
  return found.flat()
}

async function refuseExisting(target: ImageTarget): Promise<void> {
  const [file] = await filesThere(target)
  if (file !== undefined) throw new VmStatesError('STATE_EXISTS', `${file} is there already`)
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

/** Refuses to take images away from under others that stand on them and stay. */
async function refuseOverlays(files: readonly string[], alsoGoing: readonly string[]) {
  const going = [...files, ...alsoGoing]
  for (const image of files) {
    const [child] = (await imagesOn(image, going)).filter(({ file }) => !going.includes(file))
    if (child === undefined) continue
    throw new VmStatesError('STATE_HAS_CHILDREN', `${child.file} stands on ${image}`, {
      hint: 'Remove it first, or put it on another image.',
    })
  }
}
