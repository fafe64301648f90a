import { wallClock } from '../../params/clocks.js'
import { isVmStatesError } from '../../params/errors.js'
import { abortedError } from '../../qemu/deadline.js'
import type { StoredObject } from '../../store/objects/manifest.js'
import { usageOf } from '../../store/objects/usage.js'
import type { Store } from '../../store/store.js'
import { type ObjectKind, objectKind, objectName } from '../catalogue/object-name.js'
import { defaultMaxSize } from './default-max-size.js'
import { type OldFile, removeOldFiles } from './old-files.js'
import { type Candidate, type PlannedRemoval, planRemovals, type RemovalReason } from './plan.js'

/** What a store may keep, and how to go about it. */
export interface GarbageOptions {
  /** Bytes on the disk that the objects may take; by default, it depends on the disk. */
  maxSize?: number | undefined
  /** Milliseconds after which an object that was not used goes. */
  maxAge: number
  /** Only tell what would be removed. */
  dryRun?: boolean | undefined
  signal?: AbortSignal | undefined
  /** Told what is about to be removed: `removing debian/nginx`. */
  onProgress?: ((activity: string) => void) | undefined
}

/** An object of the store, for people. */
export interface ObjectSummary {
  id: string
  /** As people call it: `debian/nginx`, `debian/nginx booted`; the key of an image. */
  name: string
  kind: ObjectKind
  /** Bytes on the disk. */
  size: number
  lastUsedAt: Date
}

export interface RemovedObject extends ObjectSummary {
  why: RemovalReason
}

export interface KeptObject extends ObjectSummary {
  /** `in use` by `users`, `stood on` by other objects that are kept, or within the `limits`. */
  why: 'in use' | 'stood on' | 'limits'
  /** Who leases or pins it, in words. */
  users: readonly string[]
}

/** What garbage collection did, or would do. */
export interface GarbageReport {
  removed: readonly RemovedObject[]
  kept: readonly KeptObject[]
  /** Logs of failed builds and broken-off downloads that went. */
  files: readonly OldFile[]
  /** Bytes that went with all that. */
  freed: number
  /** Bytes on the disk of the objects that are kept. */
  size: number
  /** The limits that held. */
  maxSize: number
  maxAge: number
}

interface Known extends Candidate {
  name: string
  users: readonly string[]
}

/**
 * Removes from a store what is of no use to anybody, what was not used for long, and, while it is too
 * large, what was used longest ago: kept boots first, then other states, images last. What a process
 * or a run leases, what an exported overlay pins, and whatever those stand on stays. Safe beside
 * builds, restores and other collections.
 *
 * @throws VmStatesError `ABORTED`, `ACCESS_DENIED`, `STORE_NEWER`
 */
export async function collectGarbage(
  store: Store,
  options: GarbageOptions,
): Promise<GarbageReport> {
  const { maxAge, dryRun = false } = options
  if (!dryRun) await store.reap()
  const known = await look(store)
  const size = sizeOf(known)
  const maxSize = options.maxSize ?? (await defaultMaxSize(store.root, size))
  const plan = planRemovals(known, { maxSize, maxAge, now: wallClock() })
  const { removed, refused } = dryRun
    ? { removed: plan, refused: new Set<string>() }
    : await removeAll(plan, store, options)
  const removedIds = new Set(removed.map(({ candidate }) => candidate.id))
  // What another collection has removed meanwhile is neither removed here nor kept.
  const there = new Set((await store.objects.list()).map(({ id }) => id))
  const kept = known.filter(({ id }) => there.has(id) && !removedIds.has(id))
  const stoodOn = new Set(kept.flatMap(({ parents }) => parents))
  const files = await removeOldFiles(store, { maxAge, dryRun })
  return {
    removed: removed.map(({ candidate, why }) => ({ ...summary(candidate), why })),
    kept: kept.map((object) => ({
      ...summary(object),
      why:
        stoodOn.has(object.id) && !object.isInUse
          ? 'stood on'
          : object.isInUse || refused.has(object.id)
            ? 'in use'
            : 'limits',
      users: object.users,
    })),
    files,
    freed: sizeOf(removed.map(({ candidate }) => candidate)) + sizeOf(files),
    size: sizeOf(kept),
    maxSize,
    maxAge,
  }
}

/** Objects before keys and leases: what is made meanwhile is not looked at. */
async function look(store: Store): Promise<Known[]> {
  const objects = await store.objects.list()
  const usage = await usageOf(objects)
  const keyed = new Set((await store.keys.list()).values())
  const holders = await store.holders()
  const complete = completeOf(objects, (id) => usage.get(id)?.isComplete === true)
  return objects.flatMap((object) => {
    const own = usage.get(object.id)
    if (own === undefined) return []
    const users = holders.get(object.id) ?? []
    return {
      id: object.id,
      name: objectName(object),
      kind: objectKind(object),
      parents: object.manifest.parents,
      size: own.size,
      lastUse: Number(own.lastUsedAt),
      fault: keyed.has(object.id) ? (complete.has(object.id) ? undefined : 'damaged') : 'replaced',
      isInUse: users.length > 0,
      users,
    }
  })
}

/** The objects that are complete, with all that they stand on. */
function completeOf(
  objects: readonly StoredObject[],
  isComplete: (id: string) => boolean,
): ReadonlySet<string> {
  const byId = new Map(objects.map((object) => [object.id, object]))
  const verdicts = new Map<string, boolean>()
  function judge(id: string): boolean {
    const known = verdicts.get(id)
    if (known !== undefined) return known
    const parents = byId.get(id)?.manifest.parents
    const verdict = parents !== undefined && isComplete(id) && parents.every(judge)
    verdicts.set(id, verdict)
    return verdict
  }
  return new Set(objects.flatMap(({ id }) => (judge(id) ? id : [])))
}

async function removeAll(
  plan: readonly PlannedRemoval<Known>[],
  store: Store,
  { signal, onProgress }: GarbageOptions,
): Promise<{ removed: PlannedRemoval<Known>[]; refused: ReadonlySet<string> }> {
  const removed: PlannedRemoval<Known>[] = []
  const refused = new Set<string>()
  for (const planned of plan) {
    if (signal?.aborted) throw abortedError('removing objects', signal)
    const { id, name } = planned.candidate
    onProgress?.(`removing ${name}`)
    try {
      const unlessKeyed = planned.why === 'replaced'
      if (await store.objects.remove(id, { unlessKeyed })) removed.push(planned)
    } catch (error) {
      // Somebody has begun to use it since; what it stands on stays by the same rule.
      if (!isVmStatesError(error, 'OBJECT_IN_USE')) throw error
      refused.add(id)
    }
  }
  return { removed, refused }
}

function summary({ id, name, kind, size, lastUse }: Known): ObjectSummary {
  return { id, name, kind, size, lastUsedAt: new Date(lastUse) }
}

function sizeOf(parts: readonly { size: number }[]): number {
  return parts.reduce((sum, { size }) => sum + size, 0)
}
