import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { State } from '../../src/states/definitions/types.js'
import { bootTaskOf, taskOf } from '../../src/states/graph/build-task.js'
import type { Context } from '../../src/states/graph/context.js'
import { writeMeta } from '../../src/states/graph/state-meta.js'
import type { StoredObject } from '../../src/store/objects/manifest.js'

/** How a state comes to be in the store without a machine. */
export interface Fabrication {
  /** The objects that it stands on. */
  parents?: readonly StoredObject[]
  /** The implicit state `boot` of the state instead. */
  boot?: boolean
  /** How long ago it was built, in milliseconds. */
  age?: number
  /** What is in its only disk. */
  disk?: string | Buffer
}

/** Puts what stands for a state into the store, as if it had been built. */
export async function fabricate(
  state: State,
  context: Context,
  { parents = [], boot = false, age = 0, disk = 'disk' }: Fabrication = {},
): Promise<StoredObject> {
  const task = await (boot ? bootTaskOf : taskOf)(state, context)
  if (task === undefined) throw new Error('a root is not built')
  const { store } = context
  const draft = await store.objects.createDraft()
  const file = join(draft.directory, 'image.qcow2')
  await writeFile(file, disk)
  const meta = writeMeta(
    {
      owner: task.owner,
      state: task.state,
      parent: task.parent.name,
      liveness: task.liveness,
      members: {
        vm: {
          files: {
            liveness: task.liveness,
            backend: task.backend,
            disks: [{ name: 'image', file, format: 'qcow2' }],
          },
        },
      },
      bases: [],
      parts: task.key.parts,
      seconds: 1,
      worth: 1,
    },
    draft.directory,
  )
  const { key } = task.key
  const object = await draft.commit({ key, parents: parents.map(({ id }) => id), meta })
  await store.keys.point(key, object.id)
  if (age > 0) await grow(object, age)
  return object
}

/** Makes an object look as if it had been built so many milliseconds ago. */
export async function grow({ directory, manifest }: StoredObject, age: number): Promise<void> {
  const createdAt = new Date(Date.now() - age).toISOString()
  await writeFile(join(directory, 'manifest.json'), JSON.stringify({ ...manifest, createdAt }))
}
