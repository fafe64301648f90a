import type { GraphBackend, StateFiles } from '../../backends/backend.js'
import { externalBackend } from '../../backends/external/graph.js'
import { forkBackend } from '../../backends/fork/graph.js'
import { internalBackend } from '../../backends/internal/graph.js'
import { liveBackend } from '../../backends/live/graph.js'

const BACKENDS: Readonly<Record<StateFiles['backend'], GraphBackend>> = {
  // The root of a chain is only stood on, as a state of overlays is.
  image: externalBackend,
  external: externalBackend,
  internal: internalBackend,
  live: liveBackend,
  fork: forkBackend,
}

/** The backend that prepares what it captured itself. */
export function backendFor(name: StateFiles['backend']): GraphBackend {
  return BACKENDS[name]
}
