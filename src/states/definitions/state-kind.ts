import type { Liveness } from '../../params/liveness.js'

/** What a state is, as people are told: `image` is a root, `boot` the kept boot of a disk state. */
export type StateKind = 'image' | 'boot' | Liveness
