import type { GraphBackend } from '../backend.js'
import { captureFork } from './capture.js'
import { requireForkable } from './forkable.js'
import { prepareFork } from './prepare.js'

/**
 * Live states as overlays, the guest's RAM as a file, and device state. A machine maps the RAM of a
 * state privately, so that a restore costs the same for any size and machines share what they did
 * not change.
 */
export const forkBackend: GraphBackend = {
  liveness: 'live',
  prepare: prepareFork,
  capture: captureFork,
  requireSavable: requireForkable,
}
