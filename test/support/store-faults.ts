import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isComplete } from '../../src/store/objects/read-objects.js'
import { openStore } from '../../src/store/store.js'

/** Folders of a store that are empty while nobody uses it. */
const EMPTY_AT_REST = ['runs', 'locks', 'leases']

/** Everything in a store that is not whole: each a line for people. */
export async function brokenStates(root: string): Promise<string[]> {
  await using store = await openStore(root)
  const objects = await store.objects.list()
  const names = (await readdir(join(root, 'objects'))).filter((name) => !name.startsWith('.'))
  const known = new Set(objects.map(({ id }) => id))
  const faults = names.filter((name) => !known.has(name)).map((name) => `${name} has no manifest`)
  for (const object of objects) {
    if (!(await isComplete(object))) faults.push(`${object.id} lacks files`)
    for (const { name } of object.manifest.files.filter(({ name }) => name.endsWith('.qcow2'))) {
      const file = join(object.directory, name)
      const damage = await promisify(execFile)('qemu-img', ['check', '-f', 'qcow2', file]).then(
        () => [],
        (error: Error) => [`${file}: ${error.message}`],
      )
      faults.push(...damage)
    }
  }
  for (const [key] of await store.keys.list()) {
    if ((await store.keys.lookup(key)) === undefined) faults.push(`${key} stands for nothing whole`)
  }
  return faults
}

/** What processes that are gone have left in a store, by paths in it. */
export async function leftInStore(root: string): Promise<string[]> {
  const list = async (folder: string) =>
    (await readdir(join(root, folder))).map((name) => join(folder, name))
  const hidden = (path: string) => /(?:^|\/)\./.test(path)
  const unused = (await Promise.all(EMPTY_AT_REST.map(list))).flat()
  const halves = (await Promise.all(['.', 'objects', 'keys'].map(list))).flat().filter(hidden)
  return [...unused, ...halves]
}
