import { mkdir, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { VmStatesError } from '../params/errors.js'
import { AdmissionLedger } from './admissions/ledger.js'
import { parseFields } from './files/parse-json.js'
import { inStore, unlessMissing } from './files/storage-error.js'
import { writeAtomically } from './files/write-atomically.js'
import { KeyIndex } from './keys/key-index.js'
import { type Layout, layoutOf, STORE_FORMAT } from './layout.js'
import type { Lease } from './leases/lease.js'
import { LeaseRegistry } from './leases/lease-registry.js'
import { reapLeftovers } from './leftovers.js'
import { acquireLock, type LockOptions } from './lock/acquire.js'
import { Census } from './lock/census.js'
import type { Lock } from './lock/lock.js'
import { Presence } from './lock/presence.js'
import { checkFileName } from './names.js'
import { ObjectStore } from './objects/object-store.js'
import { reapLocks, reapUnfinished } from './reap.js'
import type { Run } from './runs/run.js'
import { type ReapedRuns, RunRegistry } from './runs/run-registry.js'

/** What a reap found. */
export interface Reaped extends ReapedRuns {
  /** How many objects in the making were deleted. */
  drafts: number
}

/** The files of this host that must survive, shared by processes that may die at any moment. */
export class Store implements AsyncDisposable {
  /** Absolute path. */
  readonly root: string
  readonly objects: ObjectStore
  readonly keys: KeyIndex
  readonly runs: RunRegistry
  readonly admissions: AdmissionLedger
  readonly #layout: Layout
  readonly #leases: LeaseRegistry
  readonly #presence: Presence
  #prepared: Promise<void> | undefined

  constructor(root: string) {
    const layout = layoutOf(root)
    const prepare = () => this.#prepare()
    this.root = root
    this.#layout = layout
    this.#presence = new Presence(layout.locks)
    this.#leases = new LeaseRegistry(layout, this.#presence, prepare)
    this.keys = new KeyIndex(layout, prepare)
    this.objects = new ObjectStore(layout, this.keys, this.#leases, this.#presence, prepare)
    this.runs = new RunRegistry(layout, this.#presence, prepare)
    this.admissions = new AdmissionLedger(layout, this.#presence, prepare)
  }

  /**
   * Takes a lock of this store; it excludes other holders in this process as well.
   *
   * @param name - a name of the caller's choice, such as a key
   * @throws VmStatesError `ABORTED`, `TIMEOUT`, `INVALID_NAME`
   */
  async lock(name: string, options?: LockOptions): Promise<Lock> {
    checkFileName('the name of a lock', name)
    await this.#prepare()
    return inStore(this.#layout.locks, () => acquireLock(this.#layout.locks, name, options))
  }

  /**
   * Keeps an object from being removed until the lease is released, or this process is gone.
   *
   * @param run - let the lease last as long as this run instead
   * @throws VmStatesError `OBJECT_MISSING`
   */
  lease(objectId: string, { run }: { run?: Run } = {}): Promise<Lease> {
    return this.#leases.lease(objectId, run?.id)
  }

  /**
   * Keeps an object from being removed for as long as a file outside the store exists.
   *
   * @param file - path of the file that stands on the object, such as an exported overlay
   * @throws VmStatesError `OBJECT_MISSING`
   */
  pin(objectId: string, file: string): Promise<void> {
    return this.#leases.pin(objectId, file)
  }

  /** Who uses which objects now, by their ids: processes, runs, and files that stand on them. */
  holders(): Promise<Map<string, string[]>> {
    return inStore(this.#layout.leases, () => this.#leases.holders())
  }

  /**
   * Cleans up after processes that are gone: their runs with what is still running of them, their
   * drafts, leases, admissions and locks, and the keys whose objects are gone. Safe at any time, and
   * several times at once.
   */
  async reap(): Promise<Reaped> {
    const { locks, objects, keys, leases, usage, root } = this.#layout
    return inStore(root, async () => {
      const census = new Census(locks)
      const runs = await this.runs.reap(census)
      const drafts = await reapLeftovers(objects, census)
      await this.#leases.reap(census)
      await this.admissions.reap(census)
      await this.keys.reap()
      await reapLocks(locks)
      await Promise.all([root, keys, leases, usage].map((directory) => reapUnfinished(directory)))
      return { ...runs, drafts }
    })
  }

  /**
   * The private key of this store, which only its user can read.
   *
   * @param make - makes one if there is none yet; of several that are made at once, one counts
   * @throws VmStatesError `ACCESS_DENIED`, `DISK_FULL`
   */
  async sshKey(make: () => Promise<string>): Promise<string> {
    const { sshKey } = this.#layout
    return await inStore(sshKey, async () => {
      const known = await unlessMissing(readFile(sshKey, 'utf8'))
      if (known !== undefined) return known
      await this.#prepare()
      await writeAtomically(sshKey, await make(), { replace: false, durable: true })
      return await readFile(sshKey, 'utf8')
    })
  }

  /** Ends what this process has in the store but objects, keys and detached runs. */
  async close(): Promise<void> {
    await this.#presence.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // Only when something is written: looking at a store must not make one.
  async #prepare(): Promise<void> {
    this.#prepared ??= this.#makeDirectories()
    try {
      await this.#prepared
    } catch (error) {
      this.#prepared = undefined
      throw error
    }
  }

  async #makeDirectories(): Promise<void> {
    const { root, formatFile, objects, keys, locks, leases, runs } = this.#layout
    await inStore(root, async () => {
      if (await isStore(this.#layout)) return
      for (const directory of [root, objects, keys, locks, leases, runs]) {
        await mkdir(directory, { recursive: true, mode: 0o700 })
      }
      const text = JSON.stringify({ format: STORE_FORMAT })
      const isFirst = await writeAtomically(formatFile, text, { replace: false, durable: true })
      if (!isFirst) await isStore(this.#layout)
    })
  }
}

/**
 * Opens a store. Nothing is written until something is put into it.
 *
 * @param root - a directory that is a store, is empty, or does not exist yet
 * @throws VmStatesError `STORE_NEWER`, `STORE_DAMAGED`, `STORE_UNUSABLE`, `ACCESS_DENIED`
 */
export async function openStore(root: string): Promise<Store> {
  const layout = layoutOf(resolve(root))
  await inStore(layout.root, () => isStore(layout))
  return new Store(layout.root)
}

/** Whether there is a store yet; throws if it is not one that this version can use. */
async function isStore({ root, formatFile }: Layout): Promise<boolean> {
  const text = await unlessMissing(readFile(formatFile, 'utf8'))
  if (text === undefined) return false
  const { format } = parseFields(text)
  if (format === STORE_FORMAT) return true
  if (typeof format === 'number' && format > STORE_FORMAT) {
    throw new VmStatesError(
      'STORE_NEWER',
      `the store ${root} has format ${format}; this version of vitest-vm-states knows formats up to ${STORE_FORMAT}`,
      { hint: 'Use the newer version, or another store.' },
    )
  }
  throw new VmStatesError('STORE_DAMAGED', `${formatFile} does not tell the format of a store`, {
    hint: 'Use another store, or delete this one.',
  })
}
