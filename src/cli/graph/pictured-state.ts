import { formatSize } from '../../params/format-size.js'
import type { GraphState } from '../../states/catalogue/state-graph.js'
import { formatDate } from '../output/date.js'
import { cell } from '../output/table.js'

/** A state of a picture: what the graph has of it, and the test files that name it. */
export interface PicturedState extends GraphState {
  /** Paths relative to the project. */
  tests: readonly string[]
}

/** Names of test files that a picture has room for. */
const NAMED = 2

/** What a picture says about a state, under its name. */
export function stateNotes(state: PicturedState): string[] {
  const { kind, status, size, seconds, builtAt, tests } = state
  const notes = status === 'image' ? [kind] : [`${kind}, ${status}`]
  if (size !== undefined) notes[0] += `, ${formatSize(size)}`
  if (builtAt !== undefined && seconds !== undefined) {
    notes.push(`${formatDate(builtAt)}, ${seconds.toFixed(1)} s`)
  }
  if (tests.length > 0) notes.push(testsNote(tests))
  return notes
}

/** Some test files by name, and how many more there are. */
export function testsNote(tests: readonly string[]): string {
  const more = tests.length - NAMED
  const named = tests.slice(0, NAMED).map(cell).join(', ')
  return more > 0 ? `${named} and ${more} more` : named
}

/** The states of a picture by the machine that they are of, in their order. */
export function byMachine(states: readonly PicturedState[]): Map<string, PicturedState[]> {
  const groups = new Map<string, PicturedState[]>()
  for (const state of states) {
    const group = groups.get(state.owner)
    if (group === undefined) groups.set(state.owner, [state])
    else group.push(state)
  }
  return groups
}
