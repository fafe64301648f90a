import { durationSchema } from '../../params/duration.js'
import { formatDuration } from '../../params/format-duration.js'
import { formatSize } from '../../params/format-size.js'
import { loadConfig } from '../../params/load-config.js'
import { parse } from '../../params/parse.js'
import { sizeSchema } from '../../params/size.js'
import { collectGarbage, type GarbageReport } from '../../states/gc/collect-garbage.js'
import { openStore } from '../../store/store.js'
import { formatDate } from '../output/date.js'
import { type Column, table } from '../output/table.js'
import type { Context, Report } from '../report.js'

interface GcFlags {
  maxSize?: string
  maxAge?: string
  dryRun?: boolean
}

const COLUMNS: readonly Column[] = [
  { heading: 'REMOVED' },
  { heading: 'SIZE', align: 'right' },
  { heading: 'LAST USED' },
  { heading: 'WHY' },
]

/** `states gc`: removes from the store what is of no use, or was not used for long. */
export async function gc(
  { maxSize, maxAge, dryRun = false }: GcFlags,
  { signal, progress, colors }: Context,
): Promise<Report> {
  const given = {
    maxSize: maxSize === undefined ? undefined : parse(sizeSchema, value(maxSize), '--max-size'),
    maxAge: maxAge === undefined ? undefined : parse(durationSchema, value(maxAge), '--max-age'),
  }
  const config = await loadConfig()
  progress.step('reading the store')
  await using store = await openStore(config.store)
  const report = await collectGarbage(store, {
    maxSize: given.maxSize ?? config.gc.maxSize,
    maxAge: given.maxAge ?? config.gc.maxAge,
    dryRun,
    signal,
    onProgress: (activity) => progress.step(activity),
  })
  return { data: { store: config.store, dryRun, ...report }, text: summary(report, dryRun, colors) }
}

/** A number without a unit is bytes, or milliseconds. */
function value(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text
}

function summary(report: GarbageReport, dryRun: boolean, colors: boolean): string {
  const { removed, files, freed, size, maxSize } = report
  const rows = removed.map(({ name, size, lastUsedAt, why }) => [
    name,
    formatSize(size),
    formatDate(lastUsedAt),
    reason(why, report),
  ])
  const old = files.map((file) => [file.path, formatSize(file.size), '-', 'is an old leftover'])
  const lines = rows.length + old.length > 0 ? [table(COLUMNS, [...rows, ...old], colors)] : []
  const would = dryRun ? 'would free' : 'freed'
  lines.push(
    `${would} ${formatSize(freed)}; what stays takes ${formatSize(size)} of at most ${formatSize(maxSize)}`,
  )
  if (size > maxSize) lines.push('all of it is in use, or stood on by what is in use')
  return lines.join('\n')
}

function reason(why: GarbageReport['removed'][number]['why'], { maxAge }: GarbageReport): string {
  return {
    replaced: 'was built anew since',
    damaged: 'lacks files',
    unused: `not used for ${formatDuration(maxAge)}`,
    size: 'the store is too large',
  }[why]
}
