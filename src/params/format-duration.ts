const UNITS = [
  ['days', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const

/**
 * A long time for people: a whole number of the largest unit of which there are at least two, as in
 * `45 days` or `36 h`.
 *
 * @param milliseconds - less than two seconds is shown as it is
 */
export function formatDuration(milliseconds: number): string {
  for (const [unit, factor] of UNITS) {
    if (milliseconds >= 2 * factor) return `${Math.floor(milliseconds / factor)} ${unit}`
  }
  return `${Math.round(milliseconds)} ms`
}
