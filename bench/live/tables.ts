import { CONFIGURATIONS, titleOf } from './configuration.js'
import { isKept, type Verdict } from './limits.js'
import type { Samples, Spread } from './samples.js'

/** The ways to a running machine, as the table and the plot have them. */
export const WAYS = [
  { name: 'boot', title: 'boot' },
  { name: 'virsh', title: '`virsh snapshot-revert`' },
  { name: '-loadvm', title: 'relaunch with `-loadvm`' },
  { name: 'loadvm', title: '`loadvm` in place' },
  { name: 'fork by hand', title: 'fork by hand' },
  { name: 'fork', title: 'fork, cold' },
  { name: 'rewound', title: 'fork, in the same process' },
  { name: 'standby by hand', title: 'standby by hand' },
  { name: 'standby', title: 'fork, standby' },
]

/** Moments that a way passes. */
export const MOMENTS = ['cont', 'agent', 'right'] as const

/** The name of the samples of a way and a moment in a configuration. */
export function sampleName(configuration: string, way: string, moment: string): string {
  return `${way === 'boot' ? 'boot' : 'restore'}/${configuration}/${way}/${moment}`
}

/** A table of promises and what came out. */
export function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map((verdict) => {
    const { promise, where, value, bound } = verdict
    const limit = 'atMost' in bound ? `≤ ${bound.atMost}` : `≥ ${bound.atLeast}`
    const mark = isKept(verdict) ? 'yes' : '**no**'
    return [promise, where, `${figure(value)}${bound.unit}`, `${limit}${bound.unit}`, mark]
  })
  return table(['promise', 'at', 'measured', 'limit', 'holds'], rows)
}

/** Tables of all ways in all configurations that were measured: medians, and quartiles in brackets. */
export function restoreTables(samples: Samples): string {
  return CONFIGURATIONS.flatMap((configuration) => {
    const title = titleOf(configuration)
    const rows = WAYS.flatMap((way) => {
      const spreads = MOMENTS.map((moment) => samples.spread(sampleName(title, way.name, moment)))
      if (spreads.every((spread) => spread === undefined)) return []
      return [[way.title, ...spreads.map(spreadText), String(countOf(spreads))]]
    })
    if (rows.length === 0) return []
    const head = [`${title} in use`, 'until `cont`', 'agent answers', 'first line, all right', 'n']
    return [table(head, rows)]
  }).join('\n\n')
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Median and quartiles in one cell. */
export function spreadText(spread: Spread | undefined): string {
  if (spread === undefined) return ''
  return `${figure(spread.median)} (${figure(spread.lower)}–${figure(spread.upper)})`
}

function countOf(spreads: readonly (Spread | undefined)[]): number {
  return Math.max(...spreads.map((spread) => spread?.count ?? 0))
}

/** Three digits that count. */
export function figure(value: number): string {
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
