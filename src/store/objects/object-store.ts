import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { inStore, systemCode, unlessMissing } from '../files/storage-error.js'
import type { KeyIndex } from '../keys/key-index.js'
import type { Layout } from '../layout.js'
import type { LeaseRegistry } from '../leases/lease-registry.js'
import { removalLock } from '../leases/removal-lock.js'
import { draftName, removedName } from '../leftovers.js'
import { acquireLock } from '../lock/acquire.js'
import type { Presence } from '../lock/presence.js'
import { newNonce } from '../names.js'
import { Draft } from './draft.js'
import { lastUseOf, markUsed } from './last-use.js'
import type { StoredObject } from './manifest.js'
import { listObjects, readObject } from './read-objects.js'

/** The objects of a store. */
export class ObjectStore {
  readonly #layout: Layout
  readonly #keys: KeyIndex
  readonly #leases: LeaseRegistry
  readonly #presence: Presence
  readonly #prepare: () => Promise<void>

  constructor(
    layout: Layout,
    keys: KeyIndex,
    leases: LeaseRegistry,
    presence: Presence,
    prepare: () => Promise<void>,
  ) {
    this.#layout = layout
    this.#keys = keys
    this.#leases = leases
    this.#presence = presence
    this.#prepare = prepare
  }

  /**
   * Starts a new object. If this process dies before it commits, the next reap deletes the draft.
   *
   * @throws VmStatesError `DISK_FULL`, `ACCESS_DENIED`
   */
  async createDraft(): Promise<Draft> {
    await this.#prepare()
    const { objects } = this.#layout
    return inStore(objects, async () => {
      await this.#presence.announce()
      const id = newNonce()
      const directory = join(objects, draftName(this.#presence.name, id))
      await mkdir(directory)
      return new Draft(id, directory, this.#leases, this.#presence)
    })
  }

  /** The object of this id; undefined if there is none. */
  get(id: string): Promise<StoredObject | undefined> {
    return readObject(this.#layout.objects, id)
  }

  /** All objects, the oldest first. */
  list(): Promise<StoredObject[]> {
    return listObjects(this.#layout.objects)
  }

  /** The directories of objects whose manifests cannot be read, which nothing else mentions. */
  async unreadable(): Promise<string[]> {
    const { objects } = this.#layout
    const names = (await inStore(objects, () => unlessMissing(readdir(objects)))) ?? []
    const readable = new Set((await this.list()).map(({ id }) => id))
    return names
      .filter((name) => !name.startsWith('.') && !readable.has(name))
      .map((name) => join(objects, name))
  }

  /**
   * Removes an object, and the key that stands for it. It is gone for others at once, and its files
   * soon after. What it stands on counts as used when it was.
   *
   * @param unlessKeyed - leave it if a key stands for it, such as one that was pointed just now
   * @param as - the object as errors call it
   * @returns whether it was there, and is gone
   * @throws VmStatesError `OBJECT_IN_USE` while someone leases or pins it, or other objects stand on
   *   it; the error names them
   */
  async remove(
    id: string,
    { unlessKeyed = false, as }: { unlessKeyed?: boolean; as?: string } = {},
  ): Promise<boolean> {
    const { objects, locks } = this.#layout
    const object = await this.get(id)
    if (object === undefined) return false
    const { key, parents } = object.manifest
    const name = as ?? `the object ${object.directory}`
    return inStore(objects, async () => {
      await using _lock = await acquireLock(locks, removalLock(id))
      // Leases first: a commit gives up its lease of the parent only when the child is visible.
      refuseWhileUsed(name, await this.#leases.holdersOf(id))
      refuseWhileUsed(name, await this.#childrenOf(id))
      if (unlessKeyed && (await this.#keys.idOf(key)) === id) return false
      const lastUse = await lastUseOf(object.directory)
      // The key first: whoever dies in between leaves an object that nobody finds, not a false key.
      await this.#keys.remove(key, id)
      const removed = join(objects, removedName())
      try {
        await rename(object.directory, removed)
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return false
        throw error
      }
      for (const parent of parents) await this.#handDown(join(objects, parent), lastUse)
      await rm(removed, { recursive: true, force: true })
      return true
    })
  }

  async #handDown(directory: string, lastUse: Date | undefined): Promise<void> {
    const own = await lastUseOf(directory)
    if (own !== undefined && lastUse !== undefined && own < lastUse) {
      await markUsed(directory, lastUse)
    }
  }

  async #childrenOf(id: string): Promise<string[]> {
    const all = await this.list()
    return all
      .filter(({ manifest }) => manifest.parents.includes(id))
      .map((child) => `object ${child.id} stands on it`)
  }
}

function refuseWhileUsed(name: string, uses: readonly string[]): void {
  if (uses.length === 0) return
  throw new VmStatesError('OBJECT_IN_USE', `${name} cannot be removed: ${uses.join('; ')}`, {
    hint: 'Remove what stands on it first, or wait until it is no longer in use.',
  })
}
