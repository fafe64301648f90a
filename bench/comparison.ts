import { type Subject, sideBySide } from './side-by-side.js'

/** A pair of subjects whose times are compared. */
export interface Comparison {
  title: string
  ours: Subject
  against: Subject
  /** What the ratio of ours to the other must not exceed. */
  limit: number
}

/** A comparison that was run: median times in milliseconds and their ratio. */
export interface Measured {
  title: string
  ours: number
  against: number
  ratio: number
  limit: number
}

/** Runs both subjects of a comparison in turn. */
export async function compare(comparison: Comparison, repetitions: number): Promise<Measured> {
  const { title, ours, against, limit } = comparison
  const [a, b] = await sideBySide([ours, against], repetitions)
  if (a === undefined || b === undefined) throw new Error('two subjects give two timings')
  return { title, ours: a.median, against: b.median, ratio: a.median / b.median, limit }
}

/** Measurements as a Markdown table. */
export function toTable(rows: readonly Measured[]): string {
  const lines = rows.map(({ title, ours, against, ratio, limit }) => {
    const times = [ours, against].map((milliseconds) => milliseconds.toFixed(1))
    return `| ${title} | ${times.join(' | ')} | ${ratio.toFixed(2)} | ${limit} |`
  })
  const head =
    '| what | ours, ms | against, ms | ratio | at most |\n| --- | --- | --- | --- | --- |'
  return [head, ...lines].join('\n')
}
