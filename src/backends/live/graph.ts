import type { GraphBackend } from '../backend.js'
import { requireSavable } from './blockers.js'
import { captureLive } from './capture.js'
import { snapshotOf } from './disk-snapshot.js'
import { prepareLive } from './prepare.js'

/**
 * Live states as snapshots with RAM inside qcow2 files, by QEMU's own jobs. A load writes to the
 * file that it loads from, so every machine gets a copy.
 */
export const liveBackend: GraphBackend = {
  liveness: 'live',
  prepare: prepareLive,
  capture: captureLive,
  async requireSavable({ disks, process }) {
    await requireSavable(process.qmp, snapshotOf(disks).nodes, process.options.name)
  },
}
