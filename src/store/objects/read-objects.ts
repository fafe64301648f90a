import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readSmallFiles } from '../files/read-small-files.js'
import { inStore, unlessMissing } from '../files/storage-error.js'
import { MANIFEST_FILE, parseManifest, type StoredObject } from './manifest.js'

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

/** All objects, the oldest first. */
export async function listObjects(objects: string): Promise<StoredObject[]> {
  return inStore(objects, async () => {
    const names = (await unlessMissing(readdir(objects))) ?? []
    const ids = names.filter((name) => !name.startsWith('.'))
    const texts = await readSmallFiles(ids.map((id) => join(objects, id, MANIFEST_FILE)))
    return ids
      .map((id, index) => toObject(objects, id, texts[index] ?? ''))
      .filter((object) => object !== undefined)
      .sort((a, b) => (age(a) < age(b) ? -1 : 1))
  })
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
