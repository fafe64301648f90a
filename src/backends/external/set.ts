import { link } from 'node:fs/promises'
import { requireSoundChain } from '../../images/backing-chain.js'
import { fileError } from '../../qemu/file-error.js'
import { rebase } from '../../qemu/qemu-img/rebase.js'
import { newNonce } from '../../store/names.js'
import { refuseRunning } from '../image/refuse-running.js'
import type { Image } from '../image/require-images.js'
import type { ImageTarget, OperationOptions } from '../image-backend.js'
import { helperFile } from '../swap/journal.js'
import { type Change, dropStaged, swapFiles } from '../swap/swap-files.js'
import { hasChildren } from './has-children.js'
import { stateFile } from './names.js'
import { stageOverlay } from './overlay.js'
import { backingFor, backingPath, findStateFile, imagesOn, type StateFile } from './states.js'
import { workOn } from './work-on.js'

/**
 * See `ImageBackend.set`: the image gets the state's name, and an empty overlay on it takes its
 * place. Nothing is copied, but for an image that stands on the state which it is to replace: that
 * state's own data goes into the image first.
 */
export async function setOverlay(
  target: ImageTarget,
  name: string,
  options: OperationOptions = {},
): Promise<void> {
  await workOn(target, options, async (images, files) => {
    await Promise.all(files.map(requireSoundChain))
    const old = await Promise.all(files.map((file) => findStateFile(file, name)))
    const replaced = old.filter((state) => state !== undefined)
    await refuseRunning(
      replaced.map(({ file }) => file),
      options.signal,
    )
    for (const [index, { file }] of images.entries()) await refuseChildren(file, old[index])
    for (const [index, image] of images.entries()) await standBeside(image, old[index], options)
    const changes: Change[] = []
    try {
      for (const image of images) await stage(image, name, changes, options)
      await swapFiles(files, changes)
    } finally {
      await dropStaged(changes)
    }
  })
}

async function refuseChildren(image: string, state: StateFile | undefined): Promise<void> {
  if (state === undefined) return
  const children = (await imagesOn(image, [state.file])).filter(({ file }) => file !== image)
  if (children.length === 0) return
  throw hasChildren(image, state.name, children, 'Choose another name, or remove them first.')
}

/** Frees an image from the state that it is to replace. */
async function standBeside(
  image: Image,
  state: StateFile | undefined,
  { signal }: OperationOptions,
): Promise<void> {
  if (state === undefined || backingPath(image) !== state.file) return
  await rebase(image.file, backingFor(image.file, state), { signal })
}

async function stage(
  { file: image, header }: Image,
  name: string,
  changes: Change[],
  options: OperationOptions,
): Promise<void> {
  const state = stateFile(image, name)
  const second = helperFile(image, `state-${newNonce()}`)
  await link(image, second).catch((error: unknown) => {
    throw fileError(error, image)
  })
  changes.push({ image, path: state, replacement: second })
  const on = { file: state, virtualSize: header.virtualSize }
  changes.push({ image, path: image, replacement: await stageOverlay(image, on, options) })
}
