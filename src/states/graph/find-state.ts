import { identifyImage } from '../../images/identify-image.js'
import { isVmStatesError } from '../../params/errors.js'
import { tracer } from '../../params/trace.js'
import type { Lease } from '../../store/leases/lease.js'
import type { StoredObject } from '../../store/objects/manifest.js'
import type { Store } from '../../store/store.js'
import type { AvailableState, BaseImage } from './available-state.js'
import type { BuildTask } from './build-task.js'
import type { Context } from './context.js'
import { readMeta, type StateMeta } from './state-meta.js'
import { storedName } from './stored-name.js'
import { whyStale } from './why-stale.js'

const trace = tracer('build')

/** A state in the store. */
export interface FoundState {
  object: StoredObject
  meta: StateMeta
}

/**
 * What the store has of a state, if all that it stands on is as it was: complete objects, none older
 * than it may be, and base images outside the store with the content that they had.
 */
export async function findState(
  task: BuildTask,
  context: Context,
): Promise<FoundState | undefined> {
  const { store } = context
  const object = await store.keys.lookup(task.key.key)
  const meta = object && readMeta(object)
  if (object === undefined || meta === undefined) {
    trace('%s: the store has nothing with its key %s', task.name, task.key.key)
    return undefined
  }
  const stale = await whyStale(object, task, context)
  if (stale !== undefined) {
    trace('%s: object %s is out of date: %s', task.name, object.id, stale)
    return undefined
  }
  const unchanged = await Promise.all(meta.bases.map((base) => isUnchanged(base, store)))
  const isThere = !unchanged.includes(false)
  trace('%s: object %s %s', task.name, object.id, isThere ? 'is it' : 'stands on a changed image')
  return isThere ? { object, meta } : undefined
}

/** As {@link findState}, with a lease that keeps the state until it is released. */
export async function leaseState(
  task: BuildTask,
  context: Context,
): Promise<AvailableState | undefined> {
  const found = await findState(task, context)
  const lease = found && (await leaseIfThere(context.store, found.object.id))
  return lease && availableState(found as FoundState, lease)
}

/** A state of the store with the lease that keeps it. */
export function availableState({ object, meta }: FoundState, lease: Lease): AvailableState {
  return {
    name: storedName(meta),
    members: meta.members,
    bases: meta.bases,
    objects: [object.id],
    worth: meta.worth,
    release: () => lease.release(),
  }
}

/** Whether a file outside the store holds what it held when a state was built on it. */
export async function isUnchanged({ image, identity }: BaseImage, store: Store): Promise<boolean> {
  try {
    return (await identifyImage(image, store)) === identity
  } catch (error) {
    if (isVmStatesError(error, 'IMAGE_MISSING')) return false
    throw error
  }
}

/** Someone may remove it between the look and the lease. */
async function leaseIfThere(store: Store, id: string): Promise<Lease | undefined> {
  try {
    return await store.lease(id)
  } catch (error) {
    if (isVmStatesError(error, 'OBJECT_MISSING')) return undefined
    throw error
  }
}
