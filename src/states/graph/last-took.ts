import type { Store } from '../../store/store.js'
import type { BuildTask } from './build-task.js'
import { readMeta } from './state-meta.js'

/**
 * How long a state took when it was last built, whatever its key was then.
 *
 * @returns seconds, or undefined if it never was
 */
export async function lastTook(task: BuildTask, store: Store): Promise<number | undefined> {
  const metas = (await store.objects.list()).map(readMeta)
  return metas.findLast(
    (meta) =>
      meta?.owner === task.owner && meta.state === task.state && meta.parent === task.parent.name,
  )?.seconds
}
