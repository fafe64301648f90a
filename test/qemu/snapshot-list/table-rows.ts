import fc from 'fast-check'
import type { TableRow } from './print.js'

const lookAlikes = [
  '0 B',
  '1.5 GiB',
  '1e+03 MiB',
  '12.3 MiB',
  '118M',
  '2026-11-20 12:22:24',
  '00:00:02.330',
  '0000:00:02.676',
  '2026-11-20 12:22:24 00:00:00.000          0',
  '0 B 2026-11-20 12:22:24  0000:00:00.000         --',
  'ID        TAG               VM SIZE                DATE     VM CLOCK     ICOUNT',
  'Snapshot list:',
  '--',
  '0',
]

const piece = fc.oneof(
  fc.constantFrom(' ', '  ', '\t', '        ', ...lookAlikes),
  fc.constantFrom(...lookAlikes),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  fc.constantFrom('Ω', 'über', '日本語', '🦊', '\r', '\u2028', '\u00a0', '"', '\\n', '%s', "'"),
  fc.string({ minLength: 16, maxLength: 40 }),
)

/** A tag with anything in it that a tag can hold, but for a line break. */
export const tag = fc
  .array(piece, { minLength: 1, maxLength: 6 })
  .map((pieces) => pieces.join('').replaceAll('\n', '').replaceAll('\0', ''))
  // QEMU keeps 255 bytes, and cuts through characters.
  .filter((text) => Buffer.byteLength(text) <= 255)

const size = fc.oneof(
  fc.constant(0),
  fc.nat(1100),
  fc.integer({ min: 1, max: 2 ** 32 }),
  fc.integer({ min: 2 ** 30, max: 2 ** 43 }),
  fc
    .constantFrom(1023.6 * 2 ** 20, 999.6 * 2 ** 20, 1010 * 2 ** 20, 999.6 * 2 ** 10)
    .map(Math.round),
)

/** A snapshot table: one ID for each row, in order. */
export const tableRows = fc
  .array(
    fc.record({
      tag,
      vmStateSize: size,
      date: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      vmClock: fc.oneof(fc.nat(10_000), fc.integer({ min: 0, max: 3_600_000 * 20_000 })),
      icount: fc.option(fc.oneof(fc.constant(0), fc.nat(), fc.constant(2 ** 50)), {
        nil: undefined,
      }),
      step: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 90_000_000 })),
    }),
    { maxLength: 6 },
  )
  .map((rows): TableRow[] => {
    let id = 0
    return rows.map(({ step, icount, ...row }) => {
      id += step
      return { id: String(id), ...row, ...(icount === undefined ? {} : { icount }) }
    })
  })
