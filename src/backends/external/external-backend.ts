import { requireImages } from '../image/require-images.js'
import type { ImageBackend } from '../image-backend.js'
import { getOverlay } from './get.js'
import { setOverlay } from './set.js'
import { backingPath, findStateFile, listStateFiles } from './states.js'
import { unsetOverlay } from './unset.js'

/** States as qcow2 files beside the image, which is an overlay on one of them. */
export const externalBackend: ImageBackend = {
  name: 'external',
  async show(target) {
    const images = await requireImages(target)
    const [first = [], ...others] = await Promise.all(
      images.map(({ file }) => listStateFiles(file)),
    )
    return first
      .filter(({ name }) => others.every((states) => states.some((state) => state.name === name)))
      .map((state) => {
        const parent = first.find(({ file }) => file === backingPath(state))?.name
        return {
          name: state.name,
          liveness: 'disk',
          date: state.date,
          vmStateSize: 0,
          ...(parent === undefined ? {} : { parent }),
        }
      })
  },
  async check(target, tag) {
    const images = await requireImages(target)
    const states = await Promise.all(images.map(({ file }) => findStateFile(file, tag)))
    return !states.includes(undefined)
  },
  get: getOverlay,
  set: setOverlay,
  unset: unsetOverlay,
}
