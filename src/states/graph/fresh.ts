import type { Manifest, StoredObject } from '../../store/objects/manifest.js'
import { parentsOf } from '../definitions/parents-of.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import { type BuildTask, taskOf } from './build-task.js'
import type { Context } from './context.js'

/** What tells whether an object may still stand for a state. */
export type Ageing = Pick<BuildTask, 'maxAge' | 'parent'>

/**
 * Whether an object is no older than its state may be, and stands on parents that are not either. One
 * that stands on a parent that was built anew since is out of date with it. Judged by when the
 * context was opened, so that a state does not run out while a test file is under way.
 */
export async function isFresh(
  { manifest }: StoredObject,
  { maxAge, parent }: Ageing,
  context: Context,
): Promise<boolean> {
  if (maxAge !== undefined && context.openedAt - Date.parse(manifest.createdAt) > maxAge) {
    return false
  }
  const { sources } = parent[DETAILS]
  const parents = sources === undefined ? [parent] : parentsOf(parent)
  const fresh = await Promise.all(parents.map((each) => isParentFresh(manifest, each, context)))
  return !fresh.includes(false)
}

async function isParentFresh(
  { parents }: Manifest,
  parent: AnyState,
  context: Context,
): Promise<boolean> {
  if (!mayAge(parent)) return true
  const parentTask = await taskOf(parent, context)
  if (parentTask === undefined) return true
  const { keys, objects } = context.store
  const id = await keys.idOf(parentTask.key.key)
  if (id === undefined || !parents.includes(id)) return false
  const stored = await objects.get(id)
  return stored !== undefined && (await isFresh(stored, parentTask, context))
}

/** Whether a state, or one that it stands on, is built anew after a while. */
function mayAge(state: AnyState): boolean {
  return state[DETAILS].options.maxAge !== undefined || parentsOf(state).some(mayAge)
}
