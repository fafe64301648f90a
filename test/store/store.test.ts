import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultStoreRoot } from '../../src/store/layout.js'
import { openStore } from '../../src/store/store.js'
import { type CompiledWorker, compileWorker } from './support/compile.js'
import { addObject, scratchDirectory, scratchStore } from './support/scratch-store.js'
import { WorkerProcess } from './support/worker-process.js'

let worker: CompiledWorker
beforeAll(async () => {
  worker = await compileWorker()
})
afterAll(() => worker.remove())

const isRoot = process.getuid?.() === 0

test('the store is in the cache directory of the user', () => {
  expect(defaultStoreRoot({ XDG_CACHE_HOME: '/fast/cache' })).toBe('/fast/cache/vitest-vm-states')
  const standard = join(homedir(), '.cache/vitest-vm-states')
  expect(defaultStoreRoot({})).toBe(standard)
  expect(defaultStoreRoot({ XDG_CACHE_HOME: 'relative' })).toBe(standard)
})

test('looking at a store that is not there makes none', async () => {
  const directory = await scratchDirectory()
  const store = await openStore(join(directory, 'store'))
  expect(await store.objects.list()).toEqual([])
  expect(await store.keys.lookup('key')).toBeUndefined()
  expect(await store.keys.list()).toEqual(new Map())
  expect(await store.runs.list()).toEqual([])
  expect(await store.reap()).toEqual({ runs: [], processes: [], drafts: 0 })
  expect(await readdir(directory)).toEqual([])
})

test('a store is for its user alone', async () => {
  const store = await scratchStore()
  await addObject(store)
  expect((await stat(store.root)).mode & 0o777).toBe(0o700)
})

test('a store of a newer format is refused and left as it is', async () => {
  const root = await scratchDirectory()
  await writeFile(join(root, 'store.json'), '{"format":2}')
  await expect(openStore(root)).rejects.toMatchObject({
    code: 'STORE_NEWER',
    message: expect.stringContaining(`${root} has format 2`),
  })
  expect(await readdir(root)).toEqual(['store.json'])
})

test('a store that became newer after it was opened is refused and left as it is', async () => {
  const store = await scratchStore()
  await mkdir(store.root)
  await writeFile(join(store.root, 'store.json'), '{"format":2}')
  await expect(store.objects.createDraft()).rejects.toMatchObject({ code: 'STORE_NEWER' })
  expect(await readdir(store.root)).toEqual(['store.json'])
})

test('a store whose format cannot be read is refused', async () => {
  const root = await scratchDirectory()
  for (const text of ['', '{"format":', 'null', '{"format":"1"}']) {
    await writeFile(join(root, 'store.json'), text)
    await expect(openStore(root)).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      message: expect.stringContaining(join(root, 'store.json')),
    })
  }
})

test('a store whose path is a file is refused, and the file left as it is', async () => {
  const root = join(await scratchDirectory(), 'file')
  await writeFile(root, 'mine')
  await expect(openStore(root)).rejects.toMatchObject({
    code: 'STORE_UNUSABLE',
    message: expect.stringContaining(root),
  })
  expect(await readFile(root, 'utf8')).toBe('mine')
})

test('a store that the user may not write to is refused with its path', async () => {
  const directory = await scratchDirectory()
  const root = join(directory, 'locked', 'store')
  await mkdir(join(directory, 'locked'), { mode: 0o555 })
  await chmod(directory, 0o755)
  const prefix = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []
  await using other = new WorkerProcess(worker.program, root, prefix)
  await expect(other.call('draft')).rejects.toMatchObject({
    code: 'ACCESS_DENIED',
    message: expect.stringContaining(root),
  })
})

test('a full disk is an error with the path, and nothing half-made is left', async () => {
  const directory = await scratchDirectory()
  const root = join(directory, 'store')
  const mount = 'mount -t tmpfs -o size=256k none "$0" && exec "$@"'
  const namespaces = isRoot ? ['--mount'] : ['--map-root-user', '--mount']
  const prefix = ['unshare', ...namespaces, 'sh', '-c', mount, directory]
  await using other = new WorkerProcess(worker.program, root, prefix)
  await other.call('draft')
  expect(await other.call('fill')).toBe('ENOSPC')
  await expect(other.call('commit')).rejects.toMatchObject({
    code: 'DISK_FULL',
    message: expect.stringContaining(root),
  })
  await expect(other.call('lock', 'name')).rejects.toMatchObject({
    code: 'DISK_FULL',
    message: expect.stringContaining(`at ${root}`),
  })
  await other.call('free')
  expect(await other.call('objects')).toEqual([])
  const id = await other.call('commit')
  expect(await other.call('objects')).toEqual([id])
})
