import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ensureObject } from '../../src/images/ensure-object.js'
import { sourceFile, startScript } from '../support/script.js'
import { makeScratch, type Scratch } from './scratch.js'

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch()
})

afterEach(async () => {
  await scratch[Symbol.asyncDispose]()
})

test('who asks at the same time gets one object, made once', async () => {
  let made = 0
  const make = async (directory: string) => {
    made += 1
    await writeFile(join(directory, 'disk.qcow2'), 'content')
    return { format: 'qcow2' }
  }
  const all = await Promise.all(
    Array.from({ length: 8 }, () => ensureObject(scratch.store, 'key', make)),
  )
  expect(made).toBe(1)
  expect(new Set(all.map(({ id }) => id)).size).toBe(1)
  expect(all[0]?.manifest).toMatchObject({ key: 'key', meta: { format: 'qcow2' } })
})

test('a failure leaves nothing, and the next one makes it', async () => {
  const failed = ensureObject(scratch.store, 'key', async (directory) => {
    await writeFile(join(directory, 'half'), '')
    throw new Error('no such luck')
  })
  await expect(failed).rejects.toThrow('no such luck')
  expect(await readdir(join(scratch.store.root, 'objects'))).toEqual([])
  expect(await ensureObject(scratch.store, 'key', async () => undefined)).toBeDefined()
})

test('a process that is killed half-way leaves what the next reap deletes, and no lock', async () => {
  const source = `
    import { readdir, writeFile } from 'node:fs/promises'
    import { ensureObject } from '${sourceFile('images/ensure-object.ts')}'
    import { openStore } from '${sourceFile('store/store.ts')}'
    const store = await openStore('${scratch.store.root}')
    await ensureObject(store, 'key', async (directory) => {
      await writeFile(directory + '/half', '')
      console.log('half-way')
      await new Promise(() => setInterval(() => {}, 1000))
    })`
  await using script = await startScript(source)
  if (script.child.stdout !== null) await once(createInterface(script.child.stdout), 'line')
  script.child.kill('SIGKILL')
  await script.ended
  const object = await ensureObject(scratch.store, 'key', async (directory) => {
    await writeFile(join(directory, 'whole'), '')
  })
  expect(object.manifest.files.map(({ name }) => name)).toEqual(['whole'])
  expect(await scratch.store.reap()).toMatchObject({ drafts: 1 })
  expect(await scratch.store.objects.list()).toHaveLength(1)
})
