import { lstat, readdir, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { inStore, systemCode, unlessMissing } from '../files/storage-error.js'
import { writeAtomically } from '../files/write-atomically.js'
import type { Layout } from '../layout.js'
import { acquireLock } from '../lock/acquire.js'
import { Census } from '../lock/census.js'
import { lockFiles } from '../lock/lock-files.js'
import type { Presence } from '../lock/presence.js'
import { newNonce } from '../names.js'
import { markUsed } from '../objects/last-use.js'
import { readObject } from '../objects/read-objects.js'
import { programName, readOwner } from '../owner/owner-record.js'
import { isRunGone } from '../runs/run-record.js'
import { describeLife, Lease, type LeaseLife, parseLife } from './lease.js'
import { removalLock } from './removal-lock.js'

interface LeaseFile {
  path: string
  objectId: string
}

/** Who uses which objects. */
export class LeaseRegistry {
  readonly #layout: Layout
  readonly #presence: Presence
  readonly #prepare: () => Promise<void>

  constructor(layout: Layout, presence: Presence, prepare: () => Promise<void>) {
    this.#layout = layout
    this.#presence = presence
    this.#prepare = prepare
  }

  /**
   * Keeps an object from being removed, for as long as this process or the given run lives.
   *
   * @throws VmStatesError `OBJECT_MISSING`
   */
  async lease(objectId: string, runId?: string): Promise<Lease> {
    await this.#prepare()
    if (runId !== undefined) return this.#grant(objectId, { kind: 'run', id: runId })
    await inStore(this.#layout.locks, () => this.#presence.announce())
    const { name } = this.#presence
    return this.#grant(objectId, { kind: 'process', name, program: programName() })
  }

  /** Leases several objects for this process: all of them or none. */
  async leaseAll(objectIds: readonly string[]): Promise<Lease[]> {
    const results = await Promise.allSettled(objectIds.map((id) => this.lease(id)))
    const leases = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed === undefined) return leases
    await Promise.all(leases.map((lease) => lease.release()))
    throw failed.reason
  }

  /**
   * Keeps an object from being removed for as long as a file outside the store exists, such as an
   * overlay that stands on the object's disks.
   *
   * @throws VmStatesError `OBJECT_MISSING`
   */
  async pin(objectId: string, file: string): Promise<void> {
    await this.#prepare()
    await this.#grant(objectId, { kind: 'file', path: resolve(file) })
  }

  /**
   * Leases for this process an object that is not there yet, so that it is in use from its commit on.
   */
  async reserve(objectId: string): Promise<Lease> {
    await inStore(this.#layout.locks, () => this.#presence.announce())
    const { name } = this.#presence
    return this.#write(objectId, { kind: 'process', name, program: programName() })
  }

  /** Who leases or pins an object now, for an error. */
  async holdersOf(objectId: string): Promise<string[]> {
    return (await this.holders(objectId)).get(objectId) ?? []
  }

  /**
   * Who leases or pins what, by the ids of objects; each once.
   *
   * @param only - look for the holders of this object alone
   */
  async holders(only?: string): Promise<Map<string, string[]>> {
    const census = new Census(this.#layout.locks)
    const files = (await this.#files()).filter(({ objectId }) => (only ?? objectId) === objectId)
    const found = new Map<string, Set<string>>()
    await Promise.all(
      files.map(async ({ path, objectId }) => {
        const life = await this.#read(path)
        if (life === undefined || (await this.#isOver(life, census))) return
        found.set(objectId, (found.get(objectId) ?? new Set()).add(describeLife(life)))
      }),
    )
    return new Map([...found].map(([objectId, holders]) => [objectId, [...holders]]))
  }

  /** Deletes the leases whose holders are gone. */
  async reap(census: Census): Promise<void> {
    const files = await this.#files()
    await Promise.all(
      files.map(async ({ path }) => {
        const life = await this.#read(path)
        if (life !== undefined && (await this.#isOver(life, census)))
          await rm(path, { force: true })
      }),
    )
  }

  async #grant(objectId: string, life: LeaseLife): Promise<Lease> {
    const { leases, objects, locks } = this.#layout
    return inStore(leases, async () => {
      // Only then look: either whoever removes the object sees the lease, or we see the removal.
      const lease = await this.#write(objectId, life)
      const removal = lockFiles(locks, removalLock(objectId)).record
      if ((await readOwner(removal)) !== undefined) {
        await (await acquireLock(locks, removalLock(objectId))).release()
      }
      const object = await readObject(objects, objectId)
      if (object !== undefined) {
        await markUsed(object.directory)
        return lease
      }
      await lease.release()
      throw new VmStatesError(
        'OBJECT_MISSING',
        `the object ${join(objects, objectId)} is not in the store`,
        { hint: 'It was removed meanwhile. Run it again, and it is built anew.' },
      )
    })
  }

  async #write(objectId: string, life: LeaseLife): Promise<Lease> {
    const path = join(this.#layout.leases, `${objectId}~${newNonce()}`)
    await inStore(path, () =>
      writeAtomically(path, JSON.stringify(life), {
        replace: false,
        durable: life.kind === 'file',
      }),
    )
    return new Lease(objectId, path)
  }

  async #files(): Promise<LeaseFile[]> {
    const { leases } = this.#layout
    const names = (await unlessMissing(readdir(leases))) ?? []
    return names
      .filter((name) => !name.startsWith('.'))
      .map((name) => ({ path: join(leases, name), objectId: name.slice(0, name.indexOf('~')) }))
  }

  async #read(path: string): Promise<LeaseLife | undefined> {
    const text = await unlessMissing(readFile(path, 'utf8'))
    return text === undefined ? undefined : parseLife(text)
  }

  async #isOver(life: LeaseLife, census: Census): Promise<boolean> {
    if (life.kind === 'process') return census.isGone(life.name)
    if (life.kind === 'run') return isRunGone(join(this.#layout.runs, life.id), census)
    return !(await mayExist(life.path))
  }
}

/** Whether a file is there, or cannot be looked at: in another user's directory, for one. */
async function mayExist(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    return !['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')
  }
}
