import { formatSize } from '../../params/format-size.js'
import type { StateDescription } from '../../states/catalogue/describe-state.js'
import { objectSizes, type RamSize } from '../../states/catalogue/object-sizes.js'
import type { StateKind } from '../../states/definitions/state-kind.js'
import type { FailedTest } from '../../states/kept/kept-moment.js'
import type { StoredObject } from '../../store/objects/manifest.js'
import { formatDate } from '../output/date.js'
import { type Column, table } from '../output/table.js'

/** A state of the configuration, of the store, or of both, as the command shows it. */
export interface StateView {
  /** As people call it: `debian/nginx`, `debian/nginx booted`. */
  name: string
  kind: StateKind
  /** The names of what it stands on. */
  parents: readonly string[]
  /**
   * `image` is a root: an image as it is. `stored` is a state of another project, or of an older
   * version of this one's; `kept` is what a failed test or `states run` has kept. `unknown` where the key cannot be told, as for an image that is missing.
   */
  status: 'image' | 'built' | 'not built' | 'stored' | 'kept' | 'unknown'
  /** What keeps the key from being told; for what was kept, the test that has failed. */
  reason?: string
  /** The test that has failed. */
  test?: FailedTest
  builtAt?: Date
  /** Seconds that the build took. */
  seconds?: number
  /** Bytes on the disk of the state's own files, without those that it stands on. */
  size?: number
  /** Bytes on the disk of all that it stands on in the store, which others may stand on too. */
  sharedSize?: number
  lastUsedAt?: Date
  ram?: RamSize
  /** Where its files are. */
  directory?: string
}

/** A described state as the command shows it. */
export function viewState(description: StateDescription): StateView {
  const { stored, ...view } = description
  if (view.kind === 'image') return { ...view, status: 'image' }
  if (stored === undefined) return { ...view, status: 'not built' }
  const { builtAt, seconds, directory } = stored
  return { ...view, status: 'built', builtAt, seconds, directory }
}

/** States with what their files take of the disk. */
export async function withSizes(
  states: readonly StateView[],
  objects: readonly StoredObject[],
): Promise<StateView[]> {
  const sizes = await objectSizes(objects)
  return states.map((state) => ({ ...state, ...sizes.get(state.directory ?? '') }))
}

const COLUMNS: readonly Column[] = [
  { heading: 'STATE' },
  { heading: 'KIND' },
  { heading: 'STANDS ON' },
  { heading: 'STATUS' },
  { heading: 'BUILT ON' },
  { heading: 'LAST USED' },
  { heading: 'OWN', align: 'right' },
  { heading: 'SHARED', align: 'right' },
  { heading: 'RAM (ON DISK)', align: 'right' },
]

/** The states for people. */
export function stateTable(states: readonly StateView[], colors: boolean): string {
  const rows = states.map((state) => [
    state.name,
    state.kind,
    state.parents.join(', ') || '-',
    state.reason === undefined ? state.status : `${state.status}: ${state.reason}`,
    state.builtAt === undefined ? '-' : formatDate(state.builtAt),
    state.lastUsedAt === undefined ? '-' : formatDate(state.lastUsedAt),
    state.size === undefined ? '-' : formatSize(state.size),
    state.sharedSize === undefined ? '-' : formatSize(state.sharedSize),
    state.ram === undefined
      ? '-'
      : `${formatSize(state.ram.size)} (${formatSize(state.ram.onDisk)})`,
  ])
  return table(COLUMNS, rows, colors)
}
