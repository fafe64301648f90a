import { cp, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { collectGarbage } from '../../../../src/states/gc/collect-garbage.js'
import { openStore } from '../../../../src/store/store.js'
import { scratchDirectory, scratchStore } from '../../../store/support/scratch-store.js'
import { brokenStates, leftInStore } from '../../../support/store-faults.js'

const DIST = resolve(import.meta.dirname, '../../../../dist')

/** A store of two states, one on the other. */
async function makeStore(): Promise<string> {
  const store = await scratchStore()
  const parents: string[] = []
  for (const key of ['base', 'top']) {
    const draft = await store.objects.createDraft()
    const disk = join(draft.directory, 'image.qcow2')
    await execa('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '1M'])
    const { id } = await draft.commit({ key, parents })
    await store.keys.point(key, id)
    parents.push(id)
  }
  await store.close()
  return store.root
}

/** Kills a collection before its nth step; tells whether there was such a step. */
async function isKilledAt(step: number, template: string): Promise<boolean> {
  const root = join(await scratchDirectory(), 'store')
  await cp(template, root, { recursive: true })
  const script = join(import.meta.dirname, 'killed-collection.js')
  const { signal, exitCode } = await execa(process.execPath, [script, DIST, root, String(step)], {
    reject: false,
  })
  expect(await brokenStates(root)).toEqual([])
  await using store = await openStore(root)
  await collectGarbage(store, { maxSize: 1, maxAge: 1e12 })
  expect(await readdir(join(root, 'objects'))).toEqual([])
  expect(await readdir(join(root, 'keys'))).toEqual([])
  expect(await leftInStore(root)).toEqual([])
  if (signal === undefined) expect(exitCode).toBe(0)
  return signal === 'SIGKILL'
}

test('a collection that is killed at any step leaves nothing false, and the next one the rest', async () => {
  const template = await makeStore()
  let steps = 0
  while (await isKilledAt(steps + 1, template)) steps += 1
  expect(steps).toBeGreaterThan(8)
})
