import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import type { StoredObject } from '../../store/objects/manifest.js'
import type { Store } from '../../store/store.js'
import type { AvailableState } from '../graph/available-state.js'
import { availableState } from '../graph/find-state.js'
import { readMeta, type StateMeta } from '../graph/state-meta.js'
import type { KeptMoment } from './kept-moment.js'

/** A kept state in the store. */
export interface KeptState {
  object: StoredObject
  meta: StateMeta
  moment: KeptMoment
}

/** What the store knows a kept state by. @param owner - `failed` or `kept` */
export function keptKey(owner: string, name: string): string {
  return `kept-${owner}-${name}`
}

/** What an object of the store says of the moment that it was kept at, if it is a kept state. */
export function readKept(object: StoredObject): KeptState | undefined {
  const meta = readMeta(object)
  return meta?.kept === undefined ? undefined : { object, meta, moment: meta.kept }
}

/** The kept state of a name. */
export async function findKept(
  store: Store,
  owner: string,
  name: string,
): Promise<KeptState | undefined> {
  const object = await store.keys.lookup(keptKey(owner, name))
  return object && readKept(object)
}

/**
 * A kept state to start machines from, with a lease until it is released.
 *
 * @throws VmStatesError `STATE_MISSING` if somebody removed it meanwhile
 */
export async function leaseKept(store: Store, kept: KeptState): Promise<AvailableState> {
  const { object, meta } = kept
  try {
    return availableState({ object, meta }, await store.lease(object.id))
  } catch (error) {
    if (!isVmStatesError(error, 'OBJECT_MISSING')) throw error
    const name = `${meta.owner}/${meta.state}`
    throw new VmStatesError('STATE_MISSING', `${name} is not in the store ${store.root}`)
  }
}

/**
 * Removes a kept state.
 *
 * @returns whether it was there
 * @throws VmStatesError `OBJECT_IN_USE` while a machine runs on it
 */
export async function removeKept(store: Store, owner: string, name: string): Promise<boolean> {
  const id = await store.keys.idOf(keptKey(owner, name))
  return id !== undefined && (await store.objects.remove(id, { as: `${owner}/${name}` }))
}
