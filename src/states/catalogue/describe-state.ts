import type { Liveness } from '../../params/liveness.js'
import { type AnyState, DETAILS, type Definition } from '../definitions/types.js'
import { type BuildTask, bootTaskOf, taskOf } from '../graph/build-task.js'
import type { Context } from '../graph/context.js'
import { findState } from '../graph/find-state.js'

/** A state that was defined, and what the store has of it. */
export interface StateDescription {
  /** The name of the machine or of the environment. */
  owner: string
  /** `boot` for the implicit state. */
  state: string
  liveness: Liveness
  /** The state that it is built on; undefined for a root. */
  parent: string | undefined
  key: string
  /** What the store has; undefined if the state is not there, as for a root, which is an image. */
  stored: StoredDescription | undefined
}

/** A state in the store. */
export interface StoredDescription {
  objectId: string
  /** Where its files are. */
  directory: string
  builtAt: Date
  /** Seconds that it took to build. */
  seconds: number
}

/** Tells what the store has of a state. Changes nothing. */
export async function describeState(state: AnyState, context: Context): Promise<StateDescription> {
  const { key } = await context.keyOf(state)
  const task = await taskOf(state, context)
  return {
    owner: state[DETAILS].owner.name,
    state: state.name,
    liveness: state.liveness,
    parent: state[DETAILS].step?.parent.name,
    key,
    stored: task && (await describeStored(task, context)),
  }
}

/** Tells what the store has of the kept boot of a state. Changes nothing. */
export async function describeBoot(state: AnyState, context: Context): Promise<StateDescription> {
  const task = await bootTaskOf(state, context)
  const stored = await describeStored(task, context)
  const owner = state[DETAILS].owner.name
  const { key } = task.key
  return { owner, state: 'boot', liveness: 'live', parent: state.name, key, stored }
}

/**
 * Tells what the store has of every state of some machines and environments, with the kept boots that are there.
 * Changes nothing.
 */
export async function listStates(
  definitions: Iterable<Definition>,
  context: Context,
): Promise<StateDescription[]> {
  const states = [...definitions].flatMap((definition) => [...definition[DETAILS].states.values()])
  const described = states.map(async (state) => [
    await describeState(state, context),
    ...(await listBoot(state, context)),
  ])
  return (await Promise.all(described)).flat()
}

async function listBoot(state: AnyState, context: Context): Promise<StateDescription[]> {
  if (state.liveness === 'live') return []
  const boot = await describeBoot(state, context)
  return boot.stored === undefined ? [] : [boot]
}

async function describeStored(
  task: BuildTask,
  context: Context,
): Promise<StoredDescription | undefined> {
  const found = await findState(task, context)
  if (found === undefined) return undefined
  const { id, directory, manifest } = found.object
  return {
    objectId: id,
    directory,
    builtAt: new Date(manifest.createdAt),
    seconds: found.meta.seconds,
  }
}
