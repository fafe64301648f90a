import { cell } from '../output/table.js'
import { byMachine, type PicturedState, stateNotes } from './pictured-state.js'

const CLASSES = `  classDef image fill:#eaeef2,stroke:#57606a,color:#1f2328
  classDef disk fill:#ddf4ff,stroke:#0969da,color:#1f2328
  classDef live fill:#dafbe1,stroke:#1a7f37,color:#1f2328
  classDef boot fill:#fff8c5,stroke:#9a6700,color:#1f2328
  classDef missing stroke-dasharray:4 3`

/** The graph as a Mermaid flowchart, which GitHub draws in Markdown. */
export function mermaid(states: readonly PicturedState[]): string {
  const ids = new Map(states.map(({ name }, index) => [name, `s${index}`]))
  const groups = [...byMachine(states)].flatMap(([machine, members], index) => [
    `  subgraph m${index} ["${mermaidText(machine)}"]`,
    ...members.map((state) => `    ${ids.get(state.name)}["${label(state)}"]:::${classOf(state)}`),
    '  end',
  ])
  const missing = states.filter(isMissing).map(({ name }) => `  class ${ids.get(name)} missing`)
  const edges = states.flatMap(({ name, parents }) =>
    parents.map((parent) => `  ${ids.get(parent)} --> ${ids.get(name)}`),
  )
  return ['flowchart LR', ...groups, ...edges, CLASSES, ...missing].join('\n')
}

function label(state: PicturedState): string {
  return [state.state, ...stateNotes(state)].map(mermaidText).join('<br/>')
}

function classOf({ kind }: PicturedState): string {
  return kind
}

function isMissing({ status }: PicturedState): boolean {
  return status === 'not built' || status === 'unknown'
}

/**
 * A text in a quoted label: whatever may mean something to Mermaid, or to the Markdown and the HTML
 * that it takes labels for, is an entity by its number.
 */
export function mermaidText(text: string): string {
  return cell(text).replace(/[^\p{L}\p{N} ,/:]/gu, (character) => `#${character.codePointAt(0)};`)
}
