import { formatSize } from '../../params/format-size.js'
import type { Liveness } from '../../params/liveness.js'
import type { StateDescription } from '../../states/catalogue/describe-state.js'
import { formatDate } from '../output/date.js'
import { type Column, table } from '../output/table.js'

/** A state of the configuration, of the store, or of both, as the command shows it. */
export interface StateView {
  /** As people call it: `debian/nginx`. */
  name: string
  liveness: Liveness
  /** The name of the state that it is built on. */
  parent?: string | undefined
  /**
   * `image` is a root: an image as it is. `stored` is a state of another project, or of an older
   * version of this one's. `unknown` where the key cannot be told, as for an image that is missing.
   */
  status: 'image' | 'built' | 'not built' | 'stored' | 'unknown'
  /** What keeps the key from being told. */
  reason?: string
  builtAt?: Date
  /** Seconds that the build took. */
  seconds?: number
  /** Bytes that the state itself takes, without those that it stands on. */
  size?: number
  /** Where its files are. */
  directory?: string
}

/** A described state as the command shows it. */
export function viewState(description: StateDescription): StateView {
  const { owner, state, liveness, parent, stored } = description
  const view = { name: `${owner}/${state}`, liveness, parent }
  if (parent === undefined) return { ...view, status: 'image' }
  if (stored === undefined) return { ...view, status: 'not built' }
  const { builtAt, seconds, size, directory } = stored
  return { ...view, status: 'built', builtAt, seconds, size, directory }
}

const COLUMNS: readonly Column[] = [
  { heading: 'STATE' },
  { heading: 'KIND' },
  { heading: 'STANDS ON' },
  { heading: 'STATUS' },
  { heading: 'BUILT ON' },
  { heading: 'SIZE', align: 'right' },
]

/** The states for people. */
export function stateTable(states: readonly StateView[], colors: boolean): string {
  const rows = states.map(({ name, liveness, parent, status, reason, builtAt, size }) => [
    name,
    liveness,
    parent ?? '-',
    reason === undefined ? status : `${status}: ${reason}`,
    builtAt === undefined ? '-' : formatDate(builtAt),
    size === undefined ? '-' : formatSize(size),
  ])
  return table(COLUMNS, rows, colors)
}
