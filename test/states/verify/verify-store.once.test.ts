import { open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { image } from '../../../src/images/image.js'
import { machine } from '../../../src/states/definitions/machine.js'
import { Context } from '../../../src/states/graph/context.js'
import { verifyStore } from '../../../src/states/verify/verify-store.js'
import type { StoredObject } from '../../../src/store/objects/manifest.js'
import type { Store } from '../../../src/store/store.js'
import { scratchDirectory, scratchStore } from '../../store/support/scratch-store.js'
import { fabricate } from '../../support/fabricated-state.js'

const DISK = 'image.qcow2'

/** An object with what a live state of a tiny guest has, and data in its disk. */
async function addState(store: Store, key: string, parents: readonly StoredObject[] = []) {
  const draft = await store.objects.createDraft()
  const disk = join(draft.directory, DISK)
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '1M'])
  await execa('qemu-io', ['-f', 'qcow2', '-c', 'write -P 7 0 256k', disk])
  await writeFile(join(draft.directory, 'ram'), Buffer.alloc(100_000, 'ram'))
  await writeFile(join(draft.directory, 'kernel'), Buffer.alloc(10_000, 'kernel'))
  const object = await draft.commit({ key, parents: parents.map(({ id }) => id) })
  await store.keys.point(key, object.id)
  return object
}

/** Changes one bit of a file, in the last of its bytes but 100. */
async function flip(object: StoredObject, name: string): Promise<void> {
  const path = join(object.directory, name)
  const file = await open(path, 'r+')
  const position = (await stat(path)).size - 100
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position)
  await file.write(Buffer.from([buffer.readUInt8(0) ^ 16]), 0, 1, position)
  await file.close()
}

const verdicts = async (store: Store, ...names: string[]) =>
  (await verifyStore(store, { names })).map(({ name, status, damages }) =>
    [name, status, ...damages].join(' '),
  )

test('a flipped bit in a disk, in RAM or in a kernel is found once the digests are known', async () => {
  const store = await scratchStore()
  const object = await addState(store, 'state')
  expect(await verdicts(store)).toEqual(['state first'])
  expect(await verdicts(store)).toEqual(['state sound'])
  for (const name of [DISK, 'ram', 'kernel']) {
    const path = join(object.directory, name)
    const content = await readFile(path)
    await flip(object, name)
    expect(await verdicts(store)).toEqual([`state damaged ${name} has changed`])
    await writeFile(path, content)
    expect(await verdicts(store)).toEqual(['state sound'])
  }
})

test('what can be seen without digests is found the first time, and no digests are kept', async () => {
  const store = await scratchStore()
  const short = await addState(store, 'short')
  const lacking = await addState(store, 'lacking')
  const corrupt = await addState(store, 'corrupt')
  await addState(store, 'orphan', [corrupt, lacking])
  await truncate(join(short.directory, 'ram'), 99_999)
  await rm(join(lacking.directory, 'kernel'))
  const disk = await open(join(corrupt.directory, DISK), 'r+')
  // The table of reference counts, by its offset in the header, moved into nowhere.
  await disk.write(Buffer.from([0, 0, 0, 0, 0, 1, 0, 16]), 0, 8, 48)
  await disk.close()
  const found = [
    'short damaged ram has 99999 bytes instead of 100000',
    'lacking damaged kernel is missing',
    `corrupt damaged ${DISK} fails qemu-img check`,
  ]
  for (const status of ['first', 'sound']) {
    expect(await verdicts(store)).toEqual([...found, `orphan ${status}`])
  }
  expect(await readdir(short.directory)).not.toContain('digests.json')
})

test('a missing parent and an unreadable manifest are damage', async () => {
  const store = await scratchStore()
  const parent = await addState(store, 'parent')
  await addState(store, 'child', [parent])
  await writeFile(join(parent.directory, 'manifest.json'), '{"format":1')
  expect(await verdicts(store)).toEqual([
    `${parent.id} damaged its manifest cannot be read`,
    `child damaged the object ${parent.id} that it stands on is missing`,
  ])
})

test('nothing but digests is ever written, and damaged digests are damage', async () => {
  const store = await scratchStore()
  const object = await addState(store, 'state')
  await verdicts(store)
  await flip(object, 'ram')
  const before = await tree(store)
  await verdicts(store)
  expect(await tree(store)).toEqual(before)
  await truncate(join(object.directory, 'digests.json'), 30)
  expect(await verdicts(store)).toEqual(['state damaged its digests cannot be read'])
})

test('a name means a state with its kept boot and what they stand on, or a machine', async () => {
  const store = await scratchStore()
  await using context = await Context.open({ store: store.root, label: 'test' })
  const tiny = machine('tiny', { image: image.blank('1 MiB') })
  const one = tiny.state('one', () => {})
  const two = one.state('two', () => {})
  const file = join(await scratchDirectory(), 'disk')
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', file, '1M'])
  const disk = await readFile(file)
  const below = await fabricate(one, context, { disk })
  await fabricate(two, context, { disk, parents: [below] })
  await fabricate(one, context, { disk, parents: [below], boot: true })
  expect(await verdicts(store, 'tiny/two')).toEqual(['tiny/one first', 'tiny/two first'])
  expect(await verdicts(store, 'tiny/one')).toEqual(['tiny/one sound', 'tiny/one booted first'])
  expect(await verdicts(store, 'tiny/two', 'tiny/one booted')).toHaveLength(3)
  expect(await verdicts(store, 'tiny')).toHaveLength(3)
  await expect(verifyStore(store, { names: ['tiny/three'] })).rejects.toMatchObject({
    code: 'STATE_MISSING',
    message: expect.stringContaining(`the store ${store.root} has no tiny/three`),
  })
})

/** Every object's files and every key, with their times of change. */
async function tree({ root }: Store): Promise<string[]> {
  const inFolder = async (folder: string) => {
    const names = (await readdir(join(root, folder), { recursive: true })).sort()
    return names.map(async (name) => `${name} ${(await stat(join(root, folder, name))).mtimeMs}`)
  }
  return Promise.all([...(await inFolder('objects')), ...(await inFolder('keys'))])
}
