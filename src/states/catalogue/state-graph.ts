import { isVmStatesError } from '../../params/errors.js'
import { nameOf } from '../definitions/name-of.js'
import { parentsOf } from '../definitions/parents-of.js'
import type { StateKind } from '../definitions/state-kind.js'
import { type AnyState, DETAILS, type Definition } from '../definitions/types.js'
import { type BuildTask, bootTaskOf, taskOf } from '../graph/build-task.js'
import type { Context } from '../graph/context.js'
import { whyStale } from '../graph/why-stale.js'
import { type StoredState, StoredStates } from './stored-states.js'

/** A state of the graph, or a kept boot. */
export interface GraphState {
  /** As people call it: `debian/nginx`, `debian/nginx booted`. */
  name: string
  /** The machine or the environment that it is of. */
  owner: string
  /** The name without its owner: `nginx`, `nginx booted`. */
  state: string
  kind: StateKind
  /** The names of what it stands on. */
  parents: readonly string[]
  /** `unknown` where the key cannot be told, as for an image that is missing. */
  status: 'image' | 'built' | 'not built' | 'unknown'
  /** What keeps the key from being told. */
  reason?: string
  builtAt?: Date
  /** Seconds that the last build took. */
  seconds?: number
  /** Bytes on the disk of the state's own files, without those that it stands on. */
  size?: number
}

/**
 * Every state of some machines and environments, parents before those that stand on them, with what
 * the store has of it, and the kept boots that are there. Changes nothing.
 */
export async function readStateGraph(
  definitions: Iterable<Definition>,
  context: Context,
): Promise<GraphState[]> {
  const stored = await StoredStates.read(context.store)
  const states = [...definitions].flatMap((definition) => [...definition[DETAILS].states.values()])
  const described = await Promise.all(states.map((state) => describe(state, stored, context)))
  return described.flat()
}

async function describe(
  state: AnyState,
  stored: StoredStates,
  context: Context,
): Promise<GraphState[]> {
  const parents = parentsOf(state)
  const isImage = parents.length === 0
  const described = {
    name: nameOf(state),
    owner: state[DETAILS].owner.name,
    state: state.name,
    kind: isImage ? 'image' : state.liveness,
    parents: parents.map(nameOf),
  } as const
  try {
    // Of a root it says whether the image can be told.
    await context.keyOf(state)
    const task = await taskOf(state, context)
    const found = task && (await findFresh(task, stored, context))
    const status = task === undefined ? 'image' : found === undefined ? 'not built' : 'built'
    const isBooted = task === undefined || (found !== undefined && stored.isBooted(found))
    const boots = isBooted ? await describeBoot(state, stored, context) : []
    return [{ ...described, status, ...whatIsStored(found) }, ...boots]
  } catch (error) {
    if (!isVmStatesError(error)) throw error
    const [reason = ''] = error.message.split('\n')
    return [{ ...described, status: 'unknown', reason }]
  }
}

async function describeBoot(
  state: AnyState,
  stored: StoredStates,
  context: Context,
): Promise<GraphState[]> {
  if (state.liveness === 'live') return []
  const task = await bootTaskOf(state, context)
  const found = await findFresh(task, stored, context)
  if (found === undefined) return []
  return [
    {
      name: task.name,
      owner: task.owner,
      state: `${state.name} booted`,
      kind: 'boot',
      parents: [nameOf(state)],
      status: 'built',
      ...whatIsStored(found),
    },
  ]
}

/** As a build would find it: not where it, or what it stands on, is older than it may be. */
async function findFresh(
  task: BuildTask,
  stored: StoredStates,
  context: Context,
): Promise<StoredState | undefined> {
  const found = stored.find(task.key.key)
  if (found === undefined) return undefined
  return (await whyStale(found.object, task, context)) === undefined ? found : undefined
}

function whatIsStored(
  found: StoredState | undefined,
): Pick<GraphState, 'builtAt' | 'seconds' | 'size'> {
  if (found === undefined) return {}
  const { object, meta, size } = found
  return { builtAt: new Date(object.manifest.createdAt), seconds: meta.seconds, size }
}
