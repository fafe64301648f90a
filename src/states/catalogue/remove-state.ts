import { VmStatesError } from '../../params/errors.js'
import type { StoredObject } from '../../store/objects/manifest.js'
import type { Store } from '../../store/store.js'
import { nameOf } from '../definitions/name-of.js'
import type { AnyState } from '../definitions/types.js'
import type { Context } from '../graph/context.js'
import type { Outcome, UnsetStateOptions } from '../policies/operations.js'
import { resolvePolicy } from '../policies/policy.js'
import { objectKind, objectName } from './object-name.js'

/** How a state is removed. */
export interface RemoveStateOptions extends UnsetStateOptions {
  /** Remove only the kept boot of the state. */
  boot?: boolean
}

/**
 * Removes a state of a machine or an environment from the store, also one that is damaged; it is
 * built anew when it is next asked for. Its kept boot goes with it. All that would go is looked at
 * before anything does.
 *
 * @throws VmStatesError `STATE_HAS_CHILDREN` while other states stand on it, unless they are taken
 *   along; `OBJECT_IN_USE` while a machine runs on it or an exported overlay stands on it;
 *   `STATE_MISSING` where the policy says `abort`; `INVALID_POLICY`
 */
export async function removeState(
  state: AnyState,
  context: Context,
  { boot = false, ...options }: RemoveStateOptions = {},
): Promise<Outcome> {
  const policy = resolvePolicy('unset', options)
  const { store } = context
  const name = boot ? `${nameOf(state)} booted` : nameOf(state)
  const { key } = await (boot ? context.bootKeyOf(state) : context.keyOf(state))
  await using _lock = await store.lock(`state-${key}`, { signal: options.signal })
  const object = await objectOf(key, store)
  if (object === undefined) {
    if (policy.missing === 'ignore') return 'ignored'
    throw new VmStatesError('STATE_MISSING', `${name} is not in the store ${store.root}`)
  }
  if (policy.exists === 'reuse') return 'kept'
  const doomed = withStanding(object, await store.objects.list())
  if (!options.withChildren) refuseChildren(name, object, doomed)
  await refuseInUse(name, object, doomed, store)
  for (const each of doomed) await store.objects.remove(each.id, { as: objectName(each) })
  return 'removed'
}

async function objectOf(key: string, { keys, objects }: Store): Promise<StoredObject | undefined> {
  const id = await keys.idOf(key)
  return id === undefined ? undefined : await objects.get(id)
}

/** An object and all that stands on it, each after what stands on it. */
function withStanding(object: StoredObject, all: readonly StoredObject[]): StoredObject[] {
  const found = new Set<StoredObject>()
  const visited = new Set<string>()
  function visit(next: StoredObject): void {
    visited.add(next.id)
    for (const other of all) {
      if (other.manifest.parents.includes(next.id) && !visited.has(other.id)) visit(other)
    }
    found.add(next)
  }
  visit(object)
  return [...found]
}

/** Kept boots of a state are no children: they go with it. */
function refuseChildren(name: string, object: StoredObject, doomed: readonly StoredObject[]): void {
  const children = doomed.filter((each) => each !== object && objectKind(each) !== 'boot')
  if (children.length === 0) return
  throw new VmStatesError(
    'STATE_HAS_CHILDREN',
    `${name} cannot be removed: ${children.map(objectName).join(', ')} ${children.length === 1 ? 'stands' : 'stand'} on it`,
    { hint: 'Remove them first, or have them go with it: --with-children' },
  )
}

async function refuseInUse(
  name: string,
  object: StoredObject,
  doomed: readonly StoredObject[],
  store: Store,
): Promise<void> {
  const holders = await store.holders()
  for (const each of doomed) {
    const users = holders.get(each.id)
    if (users === undefined) continue
    const whose = each === object ? '' : ` with ${objectName(each)}`
    throw new VmStatesError(
      'OBJECT_IN_USE',
      `${name}${whose} cannot be removed: ${users.join('; ')}`,
      { hint: 'Wait until it is no longer in use; delete an overlay to let go of its state.' },
    )
  }
}
