import { cell } from '../output/table.js'
import { byMachine, type PicturedState, stateNotes } from './pictured-state.js'

const FILL = { image: '#eaeef2', disk: '#ddf4ff', live: '#dafbe1', boot: '#fff8c5' } as const

/** The graph for Graphviz. */
export function dot(states: readonly PicturedState[]): string {
  const ids = new Map(states.map(({ name }, index) => [name, `s${index}`]))
  const groups = [...byMachine(states)].flatMap(([machine, members], index) => [
    `  subgraph cluster_${index} {`,
    `    label="${dotText(machine)}"`,
    ...members.map((state) => `    ${ids.get(state.name)} [${attributes(state)}]`),
    '  }',
  ])
  const edges = states.flatMap(({ name, parents }) =>
    parents.map((parent) => `  ${ids.get(parent)} -> ${ids.get(name)}`),
  )
  return [
    'digraph states {',
    '  rankdir=LR',
    '  fontname="Helvetica"',
    '  color="#8c959f"',
    '  node [shape=box fontname="Helvetica" fontsize=11]',
    '  edge [color="#8c959f"]',
    ...groups,
    ...edges,
    '}',
  ].join('\n')
}

function attributes(state: PicturedState): string {
  const isThere = state.status === 'built' || state.status === 'image'
  const lines = [state.state, ...stateNotes(state)].map(dotText)
  const style = isThere ? 'filled' : 'filled,dashed'
  return `label="${lines.join('\\n')}" style="${style}" fillcolor="${FILL[state.kind]}"`
}

/** A text in double quotes; Graphviz reads HTML entities there as well. */
export function dotText(text: string): string {
  return cell(text).replace(/["\\]/g, '\\$&').replaceAll('&', '&amp;')
}
