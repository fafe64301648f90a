import { formatSize } from '../../params/format-size.js'
import type { LedgerEntry } from '../../store/admissions/entry.js'
import type { Need } from './need.js'

const MOST = 3

/** What a wait is for, and who holds it: `592 MiB: node (process 12) holds …`. */
export function describeWait({ memory }: Need, held: readonly LedgerEntry[]): string {
  const holders = held.slice(0, MOST).map((entry) => describeHolder(entry))
  const more = held.length > MOST ? [`${held.length - MOST} more`] : []
  return `${formatSize(memory)}: ${[...holders, ...more].join(', ')}`
}

/** An entry of the ledger, for people. */
export function describeHolder({
  state,
  program,
  pid,
  units,
  machines,
  label,
}: LedgerEntry): string {
  const what = state === 'held' ? 'holds' : 'waits for'
  const many = machines === 1 ? '' : ` (${machines} machines)`
  return `${program} (process ${pid}) ${what} ${formatSize(units)}${many} for ${label}`
}
