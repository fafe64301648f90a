import type { ImageBackend } from '../image-backend.js'
import { getLive } from './get.js'
import { findLiveState, findLiveStates } from './live-state.js'
import { setLive } from './set.js'
import { snapshotTables } from './tables.js'
import { unsetLive } from './unset.js'

/**
 * States with RAM and devices as snapshots inside the qcow2 images of a running machine, by the jobs
 * of its monitor (avocado-i2n: `QCOW2VTBackend`). What is there shows also without the machine.
 */
export const liveImageBackend: ImageBackend = {
  name: 'live',
  async show(target, options) {
    return findLiveStates(await snapshotTables(target, options)).map(
      ({ name, date, vmStateSize }) => ({ name, liveness: 'live', date, vmStateSize }),
    )
  },
  async check(target, tag, options) {
    return findLiveState(await snapshotTables(target, options), tag) !== undefined
  },
  get: getLive,
  set: setLive,
  unset: unsetLive,
}
