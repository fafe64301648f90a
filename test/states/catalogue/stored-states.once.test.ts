import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { StoredStates } from '../../../src/states/catalogue/stored-states.js'
import { writeMeta } from '../../../src/states/graph/state-meta.js'
import { openStore } from '../../../src/store/store.js'

test('a state of which a file has another size than it should is not there', async () => {
  const root = await mkdtemp(join(tmpdir(), 'vm-states-stored-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  await using store = await openStore(join(root, 'store'))
  const draft = await store.objects.createDraft()
  await writeFile(join(draft.directory, 'disk.qcow2'), 'content')
  const about = { owner: 'm', state: 's', parent: 'root', liveness: 'disk' } as const
  const rest = { members: {}, bases: [], parts: {}, seconds: 1, worth: 1 }
  const meta = writeMeta({ ...about, ...rest }, draft.directory)
  const { id, directory } = await draft.commit({ key: 'key', meta })
  await store.keys.point('key', id)
  expect((await StoredStates.read(store)).find('key')?.object.id).toBe(id)

  await writeFile(join(directory, 'disk.qcow2'), 'cut')
  expect((await StoredStates.read(store)).find('key')).toBeUndefined()
})
