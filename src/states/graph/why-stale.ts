import { formatDuration } from '../../params/format-duration.js'
import type { Manifest, StoredObject } from '../../store/objects/manifest.js'
import { nameOf } from '../definitions/name-of.js'
import { parentsOf } from '../definitions/parents-of.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import { type BuildTask, taskOf } from './build-task.js'
import type { Context } from './context.js'

/**
 * Why an object may no longer stand for a state: it is older than the state may be, or stands on a
 * parent that is, or that was built anew since. Judged by when the context was opened, so that a state
 * does not run out while a test file is under way.
 *
 * @returns such as `debian/updated is older than its maxAge of 7 days`; undefined while it may
 */
export async function whyStale(
  { manifest }: StoredObject,
  { name, maxAge, parent }: Pick<BuildTask, 'name' | 'maxAge' | 'parent'>,
  context: Context,
): Promise<string | undefined> {
  if (maxAge !== undefined && context.openedAt - Date.parse(manifest.createdAt) > maxAge) {
    return `${name} is older than its maxAge of ${formatDuration(maxAge)}`
  }
  const { sources } = parent[DETAILS]
  const parents = sources === undefined ? [parent] : parentsOf(parent)
  const reasons = await Promise.all(parents.map((each) => whyParentStale(manifest, each, context)))
  return reasons.find((reason) => reason !== undefined)
}

async function whyParentStale(
  { parents }: Manifest,
  parent: AnyState,
  context: Context,
): Promise<string | undefined> {
  if (!mayAge(parent)) return undefined
  const parentTask = await taskOf(parent, context)
  if (parentTask === undefined) return undefined
  const { keys, objects } = context.store
  const id = await keys.idOf(parentTask.key.key)
  const stored = id !== undefined && parents.includes(id) ? await objects.get(id) : undefined
  if (stored === undefined) return `${nameOf(parent)} was built anew or removed since`
  return await whyStale(stored, parentTask, context)
}

/** Whether a state, or one that it stands on, is built anew after a while. */
function mayAge(state: AnyState): boolean {
  return state[DETAILS].options.maxAge !== undefined || parentsOf(state).some(mayAge)
}
