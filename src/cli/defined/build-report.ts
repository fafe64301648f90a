import type { BuildResult } from '../../states/graph/build-all.js'
import { failureData } from '../output/failure.js'
import { type Column, table } from '../output/table.js'
import type { Report } from '../report.js'

/** What became of a state that was to be built, in words. */
export function outcomeText(result: BuildResult): string {
  if (result.outcome === 'built') return `built in ${formatSeconds(result.seconds)}`
  if (result.outcome !== 'not built') return result.outcome
  return `not built: it needs ${result.because}, which failed`
}

const COLUMNS: readonly Column[] = [
  { heading: 'STATE' },
  { heading: 'KIND' },
  { heading: 'OUTCOME' },
]

/** What `states build` did: for tools, and for people with every error at the end. */
export function buildReport(
  results: readonly BuildResult[],
  { store, seconds }: { store: string; seconds: number },
  colors: boolean,
): Report {
  const errors = results.flatMap((result) => (result.outcome === 'failed' ? [result.error] : []))
  const rows = results
    .filter(({ outcome }) => outcome !== 'image')
    .map((result) => [result.name, result.kind, outcomeText(result)])
  const list = rows.length === 0 ? [] : [table(COLUMNS, rows, colors), '']
  return {
    data: { store, seconds, states: results.map(view) },
    text: [...list, summary(results, seconds)].join('\n'),
    errors,
    exitCode: errors.length === 0 ? 0 : 3,
  }
}

function view(result: BuildResult): unknown {
  if (result.outcome !== 'failed') return result
  return { ...result, error: failureData(result.error).error }
}

function summary(results: readonly BuildResult[], seconds: number): string {
  const counted = (['built', 'reused', 'failed', 'not built'] as const).flatMap((outcome) => {
    const count = results.filter((result) => result.outcome === outcome).length
    return count === 0 ? [] : [`${count} ${outcome}`]
  })
  const what = counted.length === 0 ? 'nothing to build' : counted.join(', ')
  return `${what}, in ${formatSeconds(seconds)}`
}

function formatSeconds(seconds: number): string {
  return `${seconds.toFixed(1)} s`
}
