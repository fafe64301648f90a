const UNITS = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const

/**
 * A size for people: at most four digits and a binary unit.
 *
 * @param bytes - a whole number of bytes
 */
export function formatSize(bytes: number): string {
  for (const [unit, factor] of UNITS) {
    const count = bytes / factor
    if (count < 1) continue
    return `${count >= 100 || Number.isInteger(count) ? Math.round(count) : count.toFixed(1)} ${unit}`
  }
  return `${bytes} B`
}
