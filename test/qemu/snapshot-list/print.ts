/** A row of a snapshot table, as exact as the image has it. */
export interface TableRow {
  id: string
  tag: string
  vmStateSize: number
  /** Seconds since 1970. */
  date: number
  /** Milliseconds. */
  vmClock: number
  icount?: number
}

type Column = readonly [width: number, separator: '' | ' ']

interface Layout {
  titles: string
  columns: readonly Column[]
  hours: number
  noIcount: string
}

/** The layouts of `bdrv_snapshot_dump()` that the real qemu-imgs of today print. */
export const layouts = {
  '7.2': {
    titles: 'ID        TAG               VM SIZE                DATE     VM CLOCK     ICOUNT',
    columns: [
      [-9, ' '],
      [-16, ' '],
      [8, ''],
      [20, ''],
      [13, ''],
      [11, ''],
    ],
    hours: 2,
    noIcount: '',
  },
  '10.0': {
    titles: 'ID      TAG               VM_SIZE                DATE        VM_CLOCK     ICOUNT',
    columns: [
      [-7, ' '],
      [-16, ' '],
      [8, ' '],
      [19, ' '],
      [15, ' '],
      [10, ''],
    ],
    hours: 4,
    noIcount: '--',
  },
} as const satisfies Record<string, Layout>

/** C pads by bytes. */
function pad(text: string, [width, separator]: Column): string {
  const blanks = ' '.repeat(Math.max(0, Math.abs(width) - Buffer.byteLength(text)))
  return (width < 0 ? text + blanks : blanks + text) + separator
}

/** `%0.3g` */
function threeDigits(value: number): string {
  if (value === 0) return '0'
  const [mantissa = '', exponent = ''] = value.toExponential(2).split('e')
  if (Number(exponent) >= 3) return `${Number(mantissa)}e+${exponent.slice(1).padStart(2, '0')}`
  return String(Number(value.toPrecision(3)))
}

/** `size_to_str()` of QEMU's `util/cutils.c`. */
function printSize(bytes: number): string {
  const scaled = bytes / (1000 / 1024)
  const power = bytes === 0 ? 0 : Math.max(0, Math.trunc(Math.floor(Math.log2(scaled)) / 10))
  return `${threeDigits(bytes / 1024 ** power)} ${['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'][power]}B`
}

function printClock(milliseconds: number, hourDigits: number): string {
  const two = (count: number): string => String(Math.floor(count)).padStart(2, '0')
  const seconds = Math.floor(milliseconds / 1000)
  const hours = String(Math.floor(seconds / 3600)).padStart(hourDigits, '0')
  const fraction = String(milliseconds % 1000).padStart(3, '0')
  return `${hours}:${two((seconds / 60) % 60)}:${two(seconds % 60)}.${fraction}`
}

/** What qemu-img prints for a table. */
export function printListing(rows: readonly TableRow[], layout: Layout): string {
  if (rows.length === 0) return ''
  const lines = rows.map((row) =>
    [
      row.id,
      row.tag,
      printSize(row.vmStateSize),
      new Date(row.date * 1000).toISOString().slice(0, 19).replace('T', ' '),
      printClock(row.vmClock, layout.hours),
      row.icount === undefined ? layout.noIcount : String(row.icount),
    ]
      .map((text, index) => pad(text, layout.columns[index] ?? [0, '']))
      .join(''),
  )
  return `Snapshot list:\n${layout.titles}\n${lines.map((line) => `${line}\n`).join('')}`
}
