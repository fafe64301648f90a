import { requireImages } from '../image/require-images.js'
import type { ImageBackend } from '../image-backend.js'
import { getSnapshot } from './get.js'
import { setSnapshot } from './set.js'
import { findState, findStates, readTables } from './table.js'
import { unsetSnapshot } from './unset.js'

/** States as disk snapshots inside the qcow2 image, by `qemu-img snapshot`. */
export const internalBackend: ImageBackend = {
  name: 'internal',
  async show(target, options) {
    const states = findStates(await readTables(await requireImages(target), options))
    return states
      .filter(({ liveness }) => liveness === 'disk')
      .map(({ tag, liveness, snapshots }) => ({
        name: tag,
        liveness,
        date: snapshots[0]?.date ?? new Date(0),
        vmStateSize: 0,
      }))
  },
  async check(target, tag, options) {
    const tables = await readTables(await requireImages(target), options)
    return findState(tables, tag)?.liveness === 'disk'
  },
  get: getSnapshot,
  set: setSnapshot,
  unset: unsetSnapshot,
}
