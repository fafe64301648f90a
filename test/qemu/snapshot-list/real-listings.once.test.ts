import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createBlank } from '../../../src/qemu/qemu-img/create.js'
import { info } from '../../../src/qemu/qemu-img/info.js'
import { snapshotCreate, snapshotList } from '../../../src/qemu/qemu-img/snapshots.js'
import { writeSnapshotTable } from '../qcow2/write-snapshot-table.js'
import { expectRows } from './expect-rows.js'
import type { TableRow } from './print.js'
import { tableRows, tag } from './table-rows.js'

let directory: string
let blank: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'real-listings-'))
  blank = join(directory, 'blank.qcow2')
  await createBlank(blank, 2 ** 20)
})

afterAll(() => rm(directory, { recursive: true }))

/** What `qemu-img info --output=json` says is in an image: the oracle that needs no parser. */
async function tableByJson(image: string): Promise<TableRow[]> {
  const { snapshots = [] } = await info(image, 'qcow2')
  return snapshots.map((row) => ({
    id: row.id,
    tag: row.name,
    vmStateSize: row['vm-state-size'],
    date: row['date-sec'],
    vmClock: row['vm-clock-sec'] * 1000 + Math.floor(row['vm-clock-nsec'] / 1e6),
    ...(row.icount === undefined ? {} : { icount: row.icount }),
  }))
}

test('300 listings by the installed qemu-img are read as what was put in, and as its JSON says', async () => {
  const image = join(directory, 'generated.qcow2')
  await fc.assert(
    fc.asyncProperty(tableRows, async (rows) => {
      await copyFile(blank, image)
      await writeSnapshotTable(image, rows)
      const [snapshots, byJson] = await Promise.all([snapshotList(image), tableByJson(image)])
      expectRows(snapshots, rows)
      expectRows(snapshots, byJson)
    }),
    { numRuns: 300 },
  )
})

test('snapshots that qemu-img took itself are listed under the tags it was given', async () => {
  const image = join(directory, 'taken.qcow2')
  await copyFile(blank, image)
  const tags = fc.sample(tag, 40)
  for (const name of tags) await snapshotCreate(image, name)
  expect((await snapshotList(image)).map((snapshot) => snapshot.tag)).toEqual(
    tags.map((name) => name.replace(/ +$/, '')),
  )
})

test('a tag that forges a row makes the listing unreadable', async () => {
  const image = join(directory, 'forged.qcow2')
  await copyFile(blank, image)
  await snapshotCreate(
    image,
    'a       0 B 2026-11-20 13:15:19 00:00:00.000          0\n2         b',
  )
  await expect(snapshotList(image)).rejects.toMatchObject({ code: 'SNAPSHOT_LIST_UNREADABLE' })
})

test('a tag with an honest line break is listed', async () => {
  const image = join(directory, 'break.qcow2')
  await copyFile(blank, image)
  await snapshotCreate(image, 'two\nlines')
  expect((await snapshotList(image)).map((snapshot) => snapshot.tag)).toEqual(['two\nlines'])
})
