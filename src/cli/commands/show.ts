import type { StateRecord } from '../../backends/image-backend.js'
import { VmStatesError } from '../../params/errors.js'
import { formatSize } from '../../params/format-size.js'
import { formatDate } from '../output/date.js'
import { printable } from '../output/printable.js'
import { type Column, table } from '../output/table.js'
import type { Context, Report } from '../report.js'
import { type ImageOptions, withImages } from '../targets/image-subject.js'
import { type ImageFile, parseTarget } from '../targets/target.js'

/** `states show`: the states of an image or of a machine of the configuration, or one of them. */
export async function show(
  target: string,
  tag: string | undefined,
  options: ImageOptions,
  context: Context,
): Promise<Report> {
  const parsed = parseTarget(target, tag)
  if (parsed.kind === 'image') return showImage(parsed, options, context)
  const { showDefined } = await import('../defined/show-defined.js')
  return showDefined(parsed, context)
}

interface Row extends StateRecord {
  backend: string
}

function showImage(
  { file, tag }: ImageFile,
  options: ImageOptions,
  { signal, progress, colors }: Context,
): Promise<Report> {
  progress.step(`reading ${file}`)
  return withImages(file, options, signal, async ({ target, backends }) => {
    const shown = await Promise.all(
      backends.map(async (backend): Promise<Row[]> => {
        const states = await backend.show(target, { signal })
        return states.map((state) => ({ ...state, backend: backend.name }))
      }),
    )
    const rows = shown.flat().filter(({ name }) => tag === undefined || name === tag)
    if (tag !== undefined && rows.length === 0) {
      throw new VmStatesError('STATE_MISSING', `${file} has no state ${JSON.stringify(tag)}`, {
        hint: `See: states show ${file}`,
      })
    }
    return { data: { image: file, states: rows }, text: showRows(file, rows, colors) }
  })
}

const COLUMNS: readonly Column[] = [
  { heading: 'STATE' },
  { heading: 'BACKEND' },
  { heading: 'KIND' },
  { heading: 'RAM', align: 'right' },
  { heading: 'SET ON' },
  { heading: 'STANDS ON' },
]

function showRows(file: string, rows: readonly Row[], colors: boolean): string {
  if (rows.length === 0) return printable(`${file} has no states`)
  const cells = rows.map(({ name, backend, liveness, vmStateSize, date, parent }) => [
    name,
    backend,
    liveness,
    liveness === 'live' ? formatSize(vmStateSize) : '-',
    formatDate(date),
    parent ?? '-',
  ])
  return table(COLUMNS, cells, colors)
}
