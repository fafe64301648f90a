import { formatSize } from '../../params/format-size.js'
import { formatDate } from '../output/date.js'
import { type Column, table } from '../output/table.js'
import { type PicturedState, testsNote } from './pictured-state.js'

const COLUMNS: readonly Column[] = [
  { heading: 'STATE' },
  { heading: 'KIND' },
  { heading: 'STATUS' },
  { heading: 'SIZE', align: 'right' },
  { heading: 'TOOK', align: 'right' },
  { heading: 'BUILT ON' },
  { heading: 'TESTS' },
]

/** The graph for a terminal: a tree of each machine, with a column for each thing that is known. */
export function textTree(states: readonly PicturedState[], colors: boolean): string {
  const children = new Map<string, PicturedState[]>()
  const tops: PicturedState[] = []
  for (const state of states) {
    const [parent] = state.parents
    // What stands on several states is in none of their trees, but begins one of its own.
    if (parent === undefined || state.parents.length > 1) tops.push(state)
    else children.set(parent, [...(children.get(parent) ?? []), state])
  }
  const rows: string[][] = []
  const add = (state: PicturedState, label: string, indent: string) => {
    rows.push([label, ...cells(state)])
    const below = children.get(state.name) ?? []
    for (const [index, child] of below.entries()) {
      const isLast = index === below.length - 1
      const branch = `${indent}${isLast ? '└─ ' : '├─ '}${child.state}`
      add(child, branch, `${indent}${isLast ? '   ' : '│  '}`)
    }
  }
  for (const top of tops) {
    const on = top.parents.length > 1 ? ` (on ${top.parents.join(', ')})` : ''
    add(top, `${top.name}${on}`, '')
  }
  return table(COLUMNS, rows, colors)
}

function cells({ kind, status, reason, size, seconds, builtAt, tests }: PicturedState): string[] {
  return [
    kind,
    reason === undefined ? status : `${status}: ${reason}`,
    size === undefined ? '-' : formatSize(size),
    seconds === undefined ? '-' : `${seconds.toFixed(1)} s`,
    builtAt === undefined ? '-' : formatDate(builtAt),
    tests.length === 0 ? '-' : testsNote(tests),
  ]
}
