import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readSmallFiles } from '../files/read-small-files.js'
import { inStore, unlessMissing } from '../files/storage-error.js'
import { writeAtomically } from '../files/write-atomically.js'
import type { Layout } from '../layout.js'
import { checkFileName } from '../names.js'
import type { StoredObject } from '../objects/manifest.js'
import { isComplete, readObject } from '../objects/read-objects.js'

/** Which object a key stands for now. */
export class KeyIndex {
  readonly #layout: Layout
  readonly #prepare: () => Promise<void>

  constructor(layout: Layout, prepare: () => Promise<void>) {
    this.#layout = layout
    this.#prepare = prepare
  }

  /**
   * The object that a key stands for.
   *
   * @returns undefined if there is none, or if it, or any object that it stands on, is not complete
   */
  async lookup(key: string): Promise<StoredObject | undefined> {
    const path = this.#path(key)
    const id = await inStore(path, () => unlessMissing(readFile(path, 'utf8')))
    return id === undefined ? undefined : this.#complete(id.trim())
  }

  /**
   * Makes a key stand for an object, whatever it stood for before.
   *
   * @throws VmStatesError `INVALID_NAME` for a key that cannot be a file's name
   */
  async point(key: string, id: string): Promise<void> {
    const path = this.#path(key)
    await this.#prepare()
    await inStore(path, () => writeAtomically(path, id, { replace: true, durable: true }))
  }

  /** All keys, each with the id of the object that it stands for, whether that is there or not. */
  async list(): Promise<Map<string, string>> {
    const { keys } = this.#layout
    return inStore(keys, async () => {
      const files = (await unlessMissing(readdir(keys))) ?? []
      const names = files.filter((name) => !name.startsWith('.'))
      const ids = await readSmallFiles(names.map((name) => join(keys, name)))
      const found = new Map<string, string>()
      for (const [index, name] of names.entries()) {
        const id = ids[index]
        if (id !== undefined) found.set(name, id)
      }
      return found
    })
  }

  /** Lets a key stand for nothing. The object stays. */
  async remove(key: string): Promise<void> {
    const path = this.#path(key)
    await inStore(path, () => rm(path, { force: true }))
  }

  #path(key: string): string {
    return join(this.#layout.keys, checkFileName('a key', key))
  }

  async #complete(
    id: string,
    seen = new Map<string, Promise<StoredObject | undefined>>(),
  ): Promise<StoredObject | undefined> {
    const object = await readObject(this.#layout.objects, id)
    if (object === undefined || !(await isComplete(object))) return undefined
    const parents = object.manifest.parents.map((parent) => {
      const known = seen.get(parent) ?? this.#complete(parent, seen)
      seen.set(parent, known)
      return known
    })
    return (await Promise.all(parents)).includes(undefined) ? undefined : object
  }
}
