import { readFileSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as letOthersRun } from 'node:timers/promises'
import { inStore, systemCode, unlessMissing } from '../files/storage-error.js'
import { MANIFEST_FILE, parseManifest, type StoredObject } from './manifest.js'

const READ_AT_ONCE = 50

function toObject(objects: string, id: string, text: string): StoredObject | undefined {
  const manifest = parseManifest(text)
  if (manifest?.id !== id) return undefined
  return { id, directory: join(objects, id), manifest }
}

/** The object of this id; undefined if there is none, or if its manifest is damaged. */
export async function readObject(objects: string, id: string): Promise<StoredObject | undefined> {
  const text = await inStore(objects, () =>
    unlessMissing(readFile(join(objects, id, MANIFEST_FILE), 'utf8')),
  )
  return text === undefined ? undefined : toObject(objects, id, text)
}

function readObjectNow(objects: string, id: string): StoredObject | undefined {
  try {
    return toObject(objects, id, readFileSync(join(objects, id, MANIFEST_FILE), 'utf8'))
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/**
 * All objects, the oldest first. Manifests are read synchronously, some at once: a thousand took
 * 16 ms so, and 86 ms with promises, sixteen at a time.
 */
export async function listObjects(objects: string): Promise<StoredObject[]> {
  const names = await inStore(objects, async () => (await unlessMissing(readdir(objects))) ?? [])
  const ids = names.filter((name) => !name.startsWith('.'))
  const found: StoredObject[] = []
  for (const [index, id] of ids.entries()) {
    if (index % READ_AT_ONCE === READ_AT_ONCE - 1) await letOthersRun()
    const object = readObjectNow(objects, id)
    if (object !== undefined) found.push(object)
  }
  return found.sort((a, b) => (age(a) < age(b) ? -1 : 1))
}

function age({ id, manifest }: StoredObject): string {
  return `${manifest.createdAt} ${id}`
}

/** Whether every file of an object is there, with the size that its manifest says. */
export async function isComplete({ directory, manifest }: StoredObject): Promise<boolean> {
  const checks = manifest.files.map(async ({ name, size }) => {
    const stats = await unlessMissing(stat(join(directory, name)))
    return stats?.size === size
  })
  return (await Promise.all(checks)).every((isThere) => isThere)
}
