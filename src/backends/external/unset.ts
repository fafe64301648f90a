import { link } from 'node:fs/promises'
import { fileError } from '../../qemu/file-error.js'
import { hasOwnData } from '../../qemu/qcow2/own-data.js'
import { rebase } from '../../qemu/qemu-img/rebase.js'
import { newNonce } from '../../store/names.js'
import { refuseRunning } from '../image/refuse-running.js'
import type { Image } from '../image/require-images.js'
import { stateMissing } from '../image/state-missing.js'
import type { ImageTarget, UnsetOptions } from '../image-backend.js'
import { helperFile } from '../swap/journal.js'
import { type Change, dropStaged, swapFiles } from '../swap/swap-files.js'
import { hasChildren } from './has-children.js'
import {
  backingFor,
  backingPath,
  findStateFile,
  imagesOn,
  listStateFiles,
  type StateFile,
} from './states.js'
import { workOn } from './work-on.js'

/**
 * See `ImageBackend.unset`. An image that stands on the state gets the state's data first; one that
 * has nothing of its own, as right after a `get`, is replaced by the state's file.
 */
export async function unsetOverlay(
  target: ImageTarget,
  tag: string,
  options: UnsetOptions = {},
): Promise<void> {
  await workOn(target, options, async (images, files) => {
    const states = await Promise.all(files.map((file) => findStateFile(file, tag)))
    if (states.includes(undefined)) throw stateMissing(images, tag)
    const doomed: StateFile[][] = []
    for (const [index, { file }] of images.entries()) {
      doomed.push(await withDescendants(file, states[index], options.withChildren ?? false))
    }
    await refuseRunning(
      doomed.flat().map(({ file }) => file),
      options.signal,
    )
    const changes: Change[] = []
    try {
      for (const [index, image] of images.entries()) {
        changes.push(...(await standAside(image, doomed[index] ?? [], options)))
      }
      await swapFiles(files, changes)
    } finally {
      await dropStaged(changes)
    }
  })
}

/** A state and all that stand on it; the image itself, which stays, is not one of them. */
async function withDescendants(
  image: string,
  state: StateFile | undefined,
  withChildren: boolean,
): Promise<StateFile[]> {
  if (state === undefined) return []
  const states = await listStateFiles(image)
  const doomed = [state]
  for (const { file, name } of doomed) {
    const children = (await imagesOn(image, [file])).filter((child) => child.file !== image)
    const known = children.map((child) => states.find((other) => other.file === child.file))
    if (children.length > 0 && (!withChildren || known.includes(undefined))) {
      const hint = withChildren
        ? 'Remove what is no state first.'
        : 'Remove them first, or with it.'
      throw hasChildren(image, name, children, hint)
    }
    doomed.push(...known.filter((child) => child !== undefined))
  }
  return doomed
}

/** The changes that remove states from under and beside an image. */
async function standAside(
  image: Image,
  doomed: readonly StateFile[],
  { signal }: UnsetOptions,
): Promise<Change[]> {
  const removals = doomed.map(({ file }): Change => ({ image: image.file, path: file }))
  const parent = doomed.find(({ file }) => file === backingPath(image))
  if (parent === undefined) return removals
  const sameSize = parent.header.virtualSize === image.header.virtualSize
  if (sameSize && !doomed.some((state) => backingPath(parent) === state.file)) {
    if (!(await hasOwnData(image.file))) {
      const second = helperFile(image.file, `image-${newNonce()}`)
      await link(parent.file, second).catch((error: unknown) => {
        throw fileError(error, image.file)
      })
      return [{ image: image.file, path: image.file, replacement: second }, ...removals]
    }
  }
  let last = parent
  for (let next: StateFile | undefined = parent; next !== undefined; ) {
    last = next
    next = doomed.find(({ file }) => file === backingPath(last))
  }
  await rebase(image.file, backingFor(image.file, last), { signal })
  return removals
}
