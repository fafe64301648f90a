import type { PartChange } from '../../states/catalogue/compare-parts.js'
import { explainState, type StateExplanation } from '../../states/catalogue/explain-state.js'
import { formatDate } from '../output/date.js'
import { printable } from '../output/printable.js'
import { type Column, table } from '../output/table.js'
import type { Context, Report } from '../report.js'
import type { DefinedState } from '../targets/target.js'
import { withState } from './with-state.js'

/** What the key of a state of the configuration is made of, and what of it has changed. */
export function explainDefined(
  target: DefinedState,
  against: string | undefined,
  command: Context,
): Promise<Report> {
  return withState(target, {}, command, async ({ state, booted, context }) => {
    const explanation = await explainState(state, context, { booted, against })
    return { data: explanation, text: explain(explanation, command.colors) }
  })
}

const COLUMNS: readonly Column[] = [
  { heading: 'PART' },
  { heading: 'OF IT' },
  { heading: 'NOW' },
  { heading: 'BEFORE' },
]

function explain(
  { name, key, parts, against, parents }: StateExplanation,
  colors: boolean,
): string {
  const heading = `${name} has the key ${short(key)}`
  if (against === undefined) {
    const rows = parts.map(({ part, item, value }) => [part, item, short(value)])
    const text = `${heading}; the store has no build of it to compare with\n\n`
    return text + table(COLUMNS.slice(0, 3), rows, colors)
  }
  const built = `${short(against.key)}, built ${formatDate(against.builtAt)}`
  const { changes } = against
  const changed = new Map(changes.map((change) => [`${change.part}\0${change.item}`, change]))
  const rows = parts.map(({ part, item, value }) => {
    const change = changed.get(`${part}\0${item}`)
    return row({ part, item, now: value, before: change === undefined ? '=' : change.before })
  })
  const gone = changes.filter(({ now }) => now === undefined).map(row)
  const said = changes.length === 0 ? 'nothing has changed since' : changeText(changes)
  return [
    `${heading}; compared with ${built}: ${said}`,
    table(COLUMNS, [...rows, ...gone], colors),
    ...parents.map((parent) => `its parent: ${explain(parent, colors)}`),
  ].join('\n\n')
}

function changeText(changes: readonly PartChange[]): string {
  return printable(
    changes.map(({ part, item }) => (item === '' ? part : `${part} ${item}`)).join(', '),
  )
}

function row({ part, item, now, before }: PartChange): string[] {
  return [
    part,
    item,
    now === undefined ? '-' : short(now),
    before === undefined ? '-' : short(before),
  ]
}

/** Digests, long values and keys by their beginning; `--json` has all of them. */
function short(value: string): string {
  const shown = value.replace(/\b([0-9a-f]{12})[0-9a-f]{20,}\b/g, '$1')
  return shown.length > 60 ? `${shown.slice(0, 59)}…` : shown
}
