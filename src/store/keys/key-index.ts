import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readSmallFiles } from '../files/read-small-files.js'
import { inStore, unlessMissing } from '../files/storage-error.js'
import { writeAtomically } from '../files/write-atomically.js'
import type { Layout } from '../layout.js'
import { acquireLock } from '../lock/acquire.js'
import type { Lock } from '../lock/lock.js'
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
    const id = await this.idOf(key)
    return id === undefined ? undefined : this.#complete(id)
  }

  /**
   * Makes a key stand for an object, whatever it stood for before.
   *
   * @throws VmStatesError `INVALID_NAME` for a key that cannot be a file's name
   */
  async point(key: string, id: string): Promise<void> {
    const path = this.#path(key)
    await this.#prepare()
    await inStore(path, async () => {
      await using _lock = await this.#lock(key)
      await writeAtomically(path, id, { replace: true, durable: true })
    })
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

  /**
   * Lets a key stand for nothing. The object stays.
   *
   * @param id - only if the key stands for this object, as one that was looked at before
   */
  async remove(key: string, id?: string): Promise<void> {
    const path = this.#path(key)
    await inStore(path, async () => {
      if ((await this.#read(path)) === undefined) return
      await using _lock = await this.#lock(key)
      if (id === undefined || (await this.#read(path)) === id) await rm(path, { force: true })
    })
  }

  /** The id of the object that a key stands for, whether that is there or not. */
  async idOf(key: string): Promise<string | undefined> {
    const path = this.#path(key)
    return inStore(path, () => this.#read(path))
  }

  /** Removes the keys whose objects are gone. */
  async reap(): Promise<void> {
    // Keys first: what they name was there by then, unless it is gone.
    const keys = await this.list()
    const objects = new Set((await unlessMissing(readdir(this.#layout.objects))) ?? [])
    for (const [key, id] of keys) {
      if (!objects.has(id)) await this.remove(key, id)
    }
  }

  // What a key stands for is changed under its lock, so that what was looked at is what is removed.
  #lock(key: string): Promise<Lock> {
    return acquireLock(this.#layout.locks, `_key-${key}`)
  }

  async #read(path: string): Promise<string | undefined> {
    return (await unlessMissing(readFile(path, 'utf8')))?.trim()
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
