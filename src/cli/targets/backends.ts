import type { ImageBackend } from '../../backends/image-backend.js'
import { VmStatesError } from '../../params/errors.js'
import { nearest } from '../../params/nearest.js'

/** How states are kept in or beside an image. */
export type BackendName = ImageBackend['name']

const LOADERS: Readonly<Record<BackendName, () => Promise<ImageBackend>>> = {
  internal: async () =>
    (await import('../../backends/internal/internal-backend.js')).internalBackend,
  external: async () =>
    (await import('../../backends/external/external-backend.js')).externalBackend,
  live: async () => (await import('../../backends/live/image-backend.js')).liveImageBackend,
}

/** The backends that need no running machine. */
export const OFFLINE: readonly BackendName[] = ['internal', 'external']

/** Loads a backend when it is needed. */
export function loadBackend(name: BackendName): Promise<ImageBackend> {
  return LOADERS[name]()
}

/**
 * @param name - as a user wrote it
 * @throws VmStatesError `USAGE`
 */
export function parseBackendName(name: string): BackendName {
  if (name in LOADERS) return name as BackendName
  const names = Object.keys(LOADERS)
  const guess = nearest(name, names)
  throw new VmStatesError('USAGE', `there is no backend ${JSON.stringify(name)}`, {
    hint: `${guess === undefined ? '' : `Did you mean ${guess}? `}The backends are ${names.join(', ')}.`,
  })
}
