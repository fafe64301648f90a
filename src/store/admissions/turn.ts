import type { LedgerEntry } from './entry.js'

/**
 * Whether it is an entry's turn to be admitted. First come, first served: only the first in line is
 * admitted, when what is held and its own fit its limits, or nothing is held at all; so a large
 * request is not overtaken for ever by small ones.
 *
 * One exception: when everything that is held belongs to those who wait for more, nothing would be
 * released any more. Then the first of these goes ahead, even beyond the limits: the others can wait
 * for it to end.
 *
 * @param mine - one of `entries`
 */
export function isTurnOf(mine: LedgerEntry, entries: readonly LedgerEntry[]): boolean {
  const held = entries.filter(({ state }) => state === 'held')
  const waiting = entries.filter(({ state }) => state === 'waiting').sort(byTicket)
  const [first] = waiting
  if (first === undefined) return false
  if (fits(first, held)) return first.id === mine.id
  const blocked = new Set(waiting.flatMap(({ holding }) => holding))
  if (!held.every(({ id }) => blocked.has(id))) return false
  const holder = waiting.find(({ holding }) => held.some(({ id }) => holding.includes(id)))
  return holder?.id === mine.id
}

function fits({ units, machines, limits }: LedgerEntry, held: readonly LedgerEntry[]): boolean {
  if (held.length === 0) return true
  return (
    units + sum(held.map((entry) => entry.units)) <= (limits.units ?? Infinity) &&
    machines + sum(held.map((entry) => entry.machines)) <= (limits.machines ?? Infinity)
  )
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function byTicket(a: LedgerEntry, b: LedgerEntry): number {
  return a.ticket - b.ticket
}
