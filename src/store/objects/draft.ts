import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { wallClock } from '../../params/clocks.js'
import { inStore } from '../files/storage-error.js'
import { syncPath } from '../files/sync-path.js'
import { writeAtomically } from '../files/write-atomically.js'
import type { Lease } from '../leases/lease.js'
import type { LeaseRegistry } from '../leases/lease-registry.js'
import type { Lock } from '../lock/lock.js'
import type { Presence } from '../lock/presence.js'
import { checkFileName } from '../names.js'
import { listFiles } from './list-files.js'
import { MANIFEST_FILE, MANIFEST_FORMAT, type Manifest, type StoredObject } from './manifest.js'

/** What the maker of an object says about it; the store knows the rest. */
export interface NewObject {
  /** The key that it is made for. `keys.point` makes the key stand for it. */
  key: string
  /** The objects that its files stand on. */
  parents?: readonly string[]
  /** JSON that the store passes on unread. */
  meta?: unknown
}

/** An object in the making: a directory that only this process writes to. */
export class Draft {
  /** The id of the object that the draft will be. */
  readonly id: string
  /** A sibling of the objects, so that relative paths between them stay right after the commit. */
  readonly directory: string
  readonly #leases: LeaseRegistry
  readonly #presence: Presence

  constructor(id: string, directory: string, leases: LeaseRegistry, presence: Presence) {
    this.id = id
    this.directory = directory
    this.#leases = leases
    this.#presence = presence
  }

  /**
   * Makes the draft an object: all or nothing, and safe against a power failure once it returns.
   *
   * @param lock - a lock that must still be held when the object becomes visible
   * @throws VmStatesError `OBJECT_MISSING` if a parent is not in the store, `LOCK_LOST`,
   *   `DISK_FULL`; the draft is left as it is then
   */
  async commit(
    { key, parents = [], meta }: NewObject,
    { lock }: { lock?: Lock } = {},
  ): Promise<StoredObject> {
    checkFileName('the key of an object', key)
    return inStore(this.directory, async () => {
      const leases = await this.#leases.leaseAll(parents)
      try {
        const manifest = await this.#write({ key, parents, meta })
        const objects = dirname(this.directory)
        const directory = join(objects, this.id)
        await Promise.all([lock?.assertHeld(), this.#presence.assertHeld()])
        await rename(this.directory, directory)
        await syncPath(objects)
        return { id: this.id, directory, manifest }
      } finally {
        await Promise.all(leases.map((lease) => lease.release()))
      }
    })
  }

  /**
   * Leases the object that the draft will be, so that nobody removes it between its commit and the
   * moment when a key stands for it.
   */
  lease(): Promise<Lease> {
    return this.#leases.reserve(this.id)
  }

  /** Deletes the draft. */
  async discard(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true })
  }

  async #write({ key, parents = [], meta }: NewObject): Promise<Manifest> {
    const files = await listFiles(this.directory)
    const directories = new Set(files.map(({ name }) => dirname(name)))
    // One after another: waits for the disk would fill the thread pool that the heartbeat needs.
    for (const { name } of files) await syncPath(join(this.directory, name))
    for (const name of directories) await syncPath(join(this.directory, name))
    const manifest: Manifest = {
      format: MANIFEST_FORMAT,
      id: this.id,
      key,
      createdAt: new Date(wallClock()).toISOString(),
      parents,
      files,
      meta,
    }
    await writeAtomically(join(this.directory, MANIFEST_FILE), JSON.stringify(manifest), {
      replace: true,
      durable: true,
    })
    return manifest
  }
}
