import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSnapshotList } from '../../../src/qemu/snapshot-list/parse.js'
import { expectRows } from './expect-rows.js'
import { layouts, printListing, type TableRow } from './print.js'
import { tableRows, tag } from './table-rows.js'

const listing = (name: string): string =>
  readFileSync(new URL(`listings/${name}`, import.meta.url), 'utf8')

const MiB = 2 ** 20

describe('listings of real and historic QEMUs', () => {
  test('7.2, with live snapshots whose ICOUNT is empty', () => {
    const snapshots = parseSnapshotList(listing('qemu-7.2.txt'), 22)
    expect(snapshots.map(({ tag }) => tag)).toEqual([
      'clean',
      'with-dash',
      'with_under',
      'v1.2.3',
      'aaaaaaaaaaaaaaaa',
      'bbbbbbbbbbbbbbbbb',
      'long-state-name-that-exceeds-the-tag-column-width',
      'has space',
      'two  spaces',
      'trailing',
      'über',
      '日本語',
      'tab\there',
      'x:y',
      'a/b',
      '(paren)',
      '0 B',
      '1.5 GiB 2024-01-01 00:00:00 00:00:00.000',
      '--',
      ' leading',
      'live',
      'live-state-name-that-exceeds-the-column',
    ])
    expect(snapshots[0]).toEqual({
      id: '1',
      tag: 'clean',
      vmStateSize: 0,
      date: new Date('2026-11-20T13:25:27Z'),
      vmClock: 0,
      icount: 0,
    })
    expect(snapshots[21]).toEqual({
      id: '22',
      tag: 'live-state-name-that-exceeds-the-column',
      vmStateSize: 759 * 1024,
      date: new Date('2026-11-20T13:25:32Z'),
      vmClock: 3409,
    })
  })

  test('5.2, which printed the ICOUNT first', () => {
    const snapshots = parseSnapshotList(listing('qemu-5.2.txt'), 9)
    expect(snapshots.map(({ tag }) => tag)).toEqual([
      'clean',
      'has space',
      '0 B',
      '1.5 GiB 2024-01-01 00:00:00 00:00:00.000',
      '日本語',
      'tab\there',
      'long-state-name-that-exceeds-the-tag-column-width',
      'live',
      'live-state-name-that-exceeds-the-tag-column-width',
    ])
    expect(snapshots[0]).toMatchObject({ vmStateSize: 0, vmClock: 0, icount: 0 })
    expect(snapshots[8]).toEqual({
      id: '9',
      tag: 'live-state-name-that-exceeds-the-tag-column-width',
      vmStateSize: Math.round(1.69 * MiB),
      date: new Date('2026-11-20T14:38:58Z'),
      vmClock: 3085,
    })
  })

  test('10.0, with underscores and hours of four digits', () => {
    const snapshots = parseSnapshotList(listing('qemu-10.0.txt'), 23)
    expect(snapshots[20]?.tag).toBe('1.5 GiB 2024-01-01 00:00:00 00:00:00.000')
    expect(snapshots[22]?.tag).toBe('Ω'.repeat(20))
    expect(snapshots[15]?.tag).toBe('tab\there')
  })

  test.each([
    ['qemu-2.12.txt', 1.2],
    ['qemu-4.2.txt', 1.23],
    ['qemu-5.0.txt', 1.23],
    ['qemu-6.0.txt', 1.23],
  ])('%s, where a size may touch a long tag', (name, smallSize) => {
    const snapshots = parseSnapshotList(listing(name), 12)
    expect(snapshots.map(({ tag }) => tag)).toEqual([
      'clean',
      'has space',
      '0 B',
      '1.5 GiB 2024-01-01 00:00:00 00:00:00.000',
      '日本語',
      'tab\there',
      'long-state-name-that-exceeds-the-tag-column-width',
      'live',
      'live small',
      'live huge',
      'live-state-name-that-exceeds-the-tag-column-width',
      'just under',
    ])
    expect(snapshots[7]).toMatchObject({ vmStateSize: 118 * MiB, vmClock: 2330 })
    expect(snapshots[9]).toMatchObject({ vmClock: (123 * 3600 + 59) * 1000 + 999 })
    expect(snapshots[10]?.vmStateSize).toBe(Math.round(smallSize * MiB))
  })

  test('an image without snapshots prints nothing', () => {
    expect(parseSnapshotList('', 0)).toEqual([])
  })
})

describe('10,000 generated listings', () => {
  test.each(Object.entries(layouts))('layout of %s', (_, layout) => {
    fc.assert(
      fc.property(tableRows, (rows) => {
        expectRows(parseSnapshotList(printListing(rows, layout), rows.length), rows)
      }),
      { numRuns: 5000 },
    )
  })
})

describe('a listing whose number of rows is not the header’s', () => {
  test.each(Object.entries(layouts))('is refused in the layout of %s', (_, layout) => {
    fc.assert(
      fc.property(tableRows, fc.integer({ min: -3, max: 3 }), (rows, difference) => {
        fc.pre(difference !== 0)
        const text = printListing(rows, layout)
        expect(() => parseSnapshotList(text, rows.length + difference)).toThrow(
          /has \d+ rows, but the image's header counts -?\d+/,
        )
      }),
      { numRuns: 500 },
    )
  })

  test.each(Object.entries(layouts))('is refused when line breaks forge rows (%s)', (_, layout) => {
    const forged: TableRow = { id: '9', tag: 'x', vmStateSize: 0, date: 1e9, vmClock: 0, icount: 0 }
    const line = printListing([forged], layout).split('\n')[2]
    const rows = [
      { ...forged, id: '1', tag: 'a' },
      {
        ...forged,
        id: '2',
        tag: `b  0 B 2026-11-20 12:22:24 00:00:00.000  0\n${line}\n3         c`,
      },
    ]
    expect(() => parseSnapshotList(printListing(rows, layout), 2)).toThrow(/has 4 rows/)
  })

  test.each(Object.entries(layouts))(
    'tags with line breaks are read exactly or refused, never misread (%s)',
    (_, layout) => {
      const broken = fc.array(tag, { minLength: 1, maxLength: 3 }).map((tags) => tags.join('\n'))
      const rows = fc.array(broken, { minLength: 1, maxLength: 4 }).map((tags) =>
        tags.map(
          (tag, index): TableRow => ({
            id: String(index + 1),
            tag,
            vmStateSize: 0,
            date: 1e9,
            vmClock: 0,
            icount: 0,
          }),
        ),
      )
      fc.assert(
        fc.property(rows, (rows) => {
          const text = printListing(rows, layout)
          try {
            expectRows(parseSnapshotList(text, rows.length), rows)
          } catch (error) {
            expect(error).toMatchObject({ code: 'SNAPSHOT_LIST_UNREADABLE' })
          }
        }),
        { numRuns: 500 },
      )
    },
  )
})

describe('what is no listing', () => {
  test('unknown columns are refused', () => {
    expect(() => parseSnapshotList('Snapshot list:\nID TAG COLOUR\n1 a red\n', 1)).toThrow(
      /unknown columns/,
    )
  })

  test('a row that is cut off is refused', () => {
    const text = listing('qemu-7.2.txt').trimEnd().slice(0, -12)
    expect(() => parseSnapshotList(text, 22)).toThrow(/is not a row/)
  })
})
