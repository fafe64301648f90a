import { writeFileSync } from 'node:fs'
import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  collectGarbage,
  type GarbageOptions,
  type GarbageReport,
} from '../../../src/states/gc/collect-garbage.js'
import type { StoredObject } from '../../../src/store/objects/manifest.js'
import { openStore, type Store } from '../../../src/store/store.js'
import { addObject, scratchDirectory, scratchStore } from '../../store/support/scratch-store.js'

const DAY = 86_400_000

const daysAgo = (days: number) => new Date(Date.now() - days * DAY)

const used = (object: StoredObject, days: number) =>
  utimes(join(object.directory, 'manifest.json'), daysAgo(days), daysAgo(days))

const collect = (store: Store, options: Partial<GarbageOptions> = {}): Promise<GarbageReport> =>
  collectGarbage(store, { maxAge: 30 * DAY, maxSize: 1e9, ...options })

const names = (list: readonly { name: string; why: string }[]) =>
  list.map(({ name, why }) => `${name} ${why}`)

test('what was not used for longer than maxAge goes, with its key, and nothing else', async () => {
  const store = await scratchStore()
  const image = await addObject(store, 'image-blank')
  const old = await addObject(store, 'old', [image.id])
  await addObject(store, 'recent', [image.id])
  await used(image, 90)
  await used(old, 31)
  const { removed, kept, freed, size } = await collect(store)
  expect(names(removed)).toEqual(['old unused'])
  expect(names(kept)).toEqual(['image-blank stood on', 'recent limits'])
  expect((await store.objects.list()).map(({ manifest }) => manifest.key)).toEqual([
    'image-blank',
    'recent',
  ])
  expect([...(await store.keys.list()).keys()].sort()).toEqual(['image-blank', 'recent'])
  // A small file and a manifest take a block each.
  expect(freed).toBeGreaterThanOrEqual(8192)
  expect(size).toBe(2 * freed)
})

test('a dry run tells the same and changes nothing', async () => {
  const store = await scratchStore()
  const old = await addObject(store, 'old')
  await used(old, 31)
  await mkdir(join(store.root, 'logs/debian'), { recursive: true })
  const log = join(store.root, 'logs/debian/nginx.log')
  await writeFile(log, 'failed')
  await utimes(log, daysAgo(31), daysAgo(31))
  const before = await readdir(store.root, { recursive: true })
  const { removed, files } = await collect(store, { dryRun: true })
  expect(names(removed)).toEqual(['old unused'])
  expect(files.map(({ path }) => path)).toEqual([log])
  expect(await readdir(store.root, { recursive: true })).toEqual(before)
})

test('what no key stands for, or lacks files, goes whatever its age', async () => {
  const store = await scratchStore()
  await addObject(store, 'key')
  const newer = await addObject(store, 'key')
  const broken = await addObject(store, 'broken')
  await addObject(store, 'on-broken', [broken.id])
  await rm(join(broken.directory, 'disk.qcow2'))
  const { removed } = await collect(store)
  expect(names(removed).sort()).toEqual(['broken damaged', 'key replaced', 'on-broken damaged'])
  expect((await store.objects.list()).map(({ id }) => id)).toEqual([newer.id])
})

test('what a process, a run or an exported overlay uses stays, with what that stands on', async () => {
  const store = await scratchStore()
  const base = await addObject(store, 'base')
  const [leased, ran, pinned] = await Promise.all(
    ['leased', 'ran', 'pinned'].map((key) => addObject(store, key, [base.id])),
  )
  const run = await store.runs.begin({ lifetime: 'detached', label: 'test' })
  const overlay = join(await scratchDirectory(), 'overlay.qcow2')
  await writeFile(overlay, '')
  const lease = await store.lease(String(leased?.id))
  await store.lease(String(ran?.id), { run })
  await store.pin(String(pinned?.id), overlay)
  for (const object of await store.objects.list()) await used(object, 99)
  const { removed, kept, size, maxSize } = await collect(store, { maxSize: 1 })
  expect(removed).toEqual([])
  expect(names(kept).sort()).toEqual([
    'base stood on',
    'leased in use',
    'pinned in use',
    'ran in use',
  ])
  const users = kept.flatMap(({ users }) => users).join('\n')
  expect(users).toMatch(/^it is in use by a process/m)
  expect(users).toMatch(/^it is in use by the run /m)
  expect(users).toContain(`${overlay} stands on it`)
  expect(size).toBeGreaterThan(maxSize)
  await Promise.all([lease.release(), run.end(), rm(overlay)])
  expect((await collect(store)).kept).toEqual([])
})

test('what comes into use between the look and its turn stays', async () => {
  const store = await scratchStore()
  const base = await addObject(store, 'base')
  const old = await addObject(store, 'old', [base.id])
  for (const object of [base, old]) await used(object, 99)
  const pin = JSON.stringify({ kind: 'file', path: store.root })
  const { removed, kept } = await collect(store, {
    onProgress: () => writeFileSync(join(store.root, 'leases', `${old.id}~pin`), pin),
  })
  expect(removed).toEqual([])
  expect(names(kept)).toEqual(['base stood on', 'old in use'])
  expect(await store.keys.lookup('old')).toEqual(old)
})

test('without a size, a tenth of the disk is the limit, which tests do not reach', async () => {
  const store = await scratchStore()
  await addObject(store)
  const { removed, maxSize } = await collectGarbage(store, { maxAge: DAY })
  expect(removed).toEqual([])
  expect(maxSize).toBeGreaterThanOrEqual(2 ** 30)
  const nowhere = await openStore(join(await scratchDirectory(), 'not/there/yet'))
  expect(await collectGarbage(nowhere, { maxAge: DAY })).toMatchObject({ removed: [], size: 0 })
})

test('old logs of failed builds and downloads that were broken off go', async () => {
  const store = await scratchStore()
  await addObject(store)
  const make = async (path: string, days: number) => {
    const file = join(store.root, path)
    await mkdir(join(file, '..'), { recursive: true })
    await writeFile(file, 'text')
    await utimes(file, daysAgo(days), daysAgo(days))
    return file
  }
  const oldLog = await make('logs/debian/old.log', 31)
  await make('logs/debian/recent.log', 29)
  await utimes(join(store.root, 'logs/debian'), daysAgo(31), daysAgo(31))
  const brokenOff = await make('downloads/broken-off', 2)
  await make('downloads/under-way', 2)
  await make('downloads/recent', 0)
  await using _download = await store.lock('image-under-way')
  const { files, freed } = await collect(store)
  expect(files.map(({ path }) => path).sort()).toEqual([brokenOff, oldLog])
  expect(freed).toBeGreaterThan(0)
  expect(await readdir(join(store.root, 'logs/debian'))).toEqual(['recent.log'])
  expect((await readdir(join(store.root, 'downloads'))).sort()).toEqual(['recent', 'under-way'])
})

test('several at once remove each object once, and none that a build makes meanwhile', async () => {
  const store = await scratchStore()
  for (let index = 0; index < 12; index += 1) await used(await addObject(store, `old-${index}`), 99)
  const builds = async (name: string) => {
    for (let round = 0; round < 6; round += 1) {
      const parent = await addLeased(store, `${name}-parent-${round}`)
      const child = await addLeased(store, `${name}-child-${round}`, [parent.object.id])
      await parent.lease.release()
      expect(await store.keys.lookup(`${name}-child-${round}`)).toEqual(child.object)
      await child.lease.release()
    }
  }
  const others = [await openStore(store.root), await openStore(store.root)]
  const collecting = others.flatMap((other) => [collect(other), collect(other)])
  const [reports] = await Promise.all([Promise.all(collecting), builds('a'), builds('b')])
  expect(reports.flatMap(({ removed }) => names(removed)).sort()).toEqual(
    Array.from({ length: 12 }, (_, index) => `old-${index} unused`).sort(),
  )
  expect(reports.flatMap(({ kept }) => names(kept)).filter((name) => /^old/.test(name))).toEqual([])
  expect((await store.objects.list()).length).toBe(24)
  await Promise.all(others.map((other) => other.close()))
})

/** As a build does it. */
async function addLeased(store: Store, key: string, parents: readonly string[] = []) {
  const draft = await store.objects.createDraft()
  await writeFile(join(draft.directory, 'disk.qcow2'), 'disk')
  const lease = await draft.lease()
  const object = await draft.commit({ key, parents })
  await store.keys.point(key, object.id)
  return { object, lease }
}
