// `%0.3g` and a unit: three digits at most, but for 999.5 and more, which rounds up to `1e+03`.
const SIZE = String.raw`(?:1e\+03|0\.\d{1,3}|\d{1,3}|\d\.\d{1,2}|\d\d\.\d) (?:[KMGTPE]i)?B`
// Up to QEMU 4.0: `0`, `1.2K`, `118M`.
const SHORT_SIZE = String.raw`(?<= )\d+(?:\.\d)?[KMGT]?`
const DATE = String.raw`(?<date>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)`
const CLOCK = String.raw`(?<hours>\d{2,}):(?<minutes>\d\d):(?<seconds>\d\d\.\d{3})`
const ICOUNT = String.raw` *(?:(?<icount>-?\d+)|--)?`

const TITLES = /^(?<id>ID +)TAG +VM[ _]SIZE +DATE +VM[ _]CLOCK(?<icount> +ICOUNT)?$/

/**
 * What a row looks like under the given column titles: those of `bdrv_snapshot_dump()` in QEMU's
 * `block/qapi.c`, which changed in 4.1 (units), 5.0 (widths), 5.2 (ICOUNT), 6.0 (widths) and 9.2
 * (underscores, hours of four digits).
 *
 * A tag can hold anything, text that looks like the other columns included. So those are matched
 * from the right, and the tag's start is known by its column. Up to 5.2 a size that fills its
 * column touches a tag that fills its own: there the longest number that can be a size is taken.
 *
 * @returns undefined if no known QEMU prints such titles
 */
export function rowPattern(titles: string): RegExp | undefined {
  const groups = TITLES.exec(titles)?.groups
  if (groups?.id === undefined) return undefined
  const withIcount = groups.icount !== undefined
  const size = withIcount ? SIZE : `${SIZE}|${SHORT_SIZE}`
  return new RegExp(
    `^(?<id>\\S+) +?(?<=^.{${groups.id.length},})(?<tag>.*?) *(?<size>${size}) ` +
      `${DATE} *${CLOCK}${withIcount ? ICOUNT : ''}$`,
    's',
  )
}
