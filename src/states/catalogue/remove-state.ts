import { VmStatesError } from '../../params/errors.js'
import type { StoredObject } from '../../store/objects/manifest.js'
import { nameOf } from '../definitions/name-of.js'
import type { AnyState } from '../definitions/types.js'
import type { Context } from '../graph/context.js'
import { readMeta } from '../graph/state-meta.js'
import type { Outcome, UnsetStateOptions } from '../policies/operations.js'
import { resolvePolicy } from '../policies/policy.js'

/**
 * Removes a state of a machine or an environment from the store; it is built anew when it is next asked for. Its kept
 * boot goes with it.
 *
 * @throws VmStatesError `STATE_HAS_CHILDREN` while other states stand on it, unless they are taken
 *   along; `OBJECT_IN_USE` while a machine runs on it or an exported overlay stands on it;
 *   `STATE_MISSING` where the policy says `abort`; `INVALID_POLICY`
 */
export async function removeState(
  state: AnyState,
  context: Context,
  options: UnsetStateOptions = {},
): Promise<Outcome> {
  const policy = resolvePolicy('unset', options)
  const { store } = context
  const { key } = await context.keyOf(state)
  await using _lock = await store.lock(`state-${key}`, { signal: options.signal })
  const object = await store.keys.lookup(key)
  if (object === undefined) {
    if (policy.missing === 'ignore') return 'ignored'
    throw new VmStatesError('STATE_MISSING', `${nameOf(state)} is not in the store ${store.root}`)
  }
  if (policy.exists === 'reuse') return 'kept'
  const standing = standingOn(object, await store.objects.list())
  const refused = options.withChildren ? [] : standing.filter((child) => stateOf(child) !== 'boot')
  if (refused.length > 0) {
    const names = refused.map((child) => `${readMeta(child)?.owner}/${stateOf(child)}`)
    throw new VmStatesError(
      'STATE_HAS_CHILDREN',
      `${nameOf(state)} cannot be removed: ${names.join(', ')} stand on it`,
      { hint: 'Remove them first, or say that they go with it.' },
    )
  }
  for (const { id } of [...standing.reverse(), object]) await store.objects.remove(id)
  return 'removed'
}

/** Everything that stands on an object, parents before their children. */
function standingOn(object: StoredObject, all: readonly StoredObject[]): StoredObject[] {
  const ids = new Set([object.id])
  // Oldest first: nothing is older than what it stands on.
  return all.filter(({ id, manifest }) => {
    const stands = manifest.parents.some((parent) => ids.has(parent))
    if (stands) ids.add(id)
    return stands
  })
}

function stateOf(object: StoredObject): string | undefined {
  return readMeta(object)?.state
}
