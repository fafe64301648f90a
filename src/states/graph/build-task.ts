import type { StateFiles } from '../../backends/backend.js'
import type { Liveness } from '../../params/liveness.js'
import { nameOf } from '../definitions/name-of.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import type { StateKey } from '../keys/key.js'
import type { Context } from './context.js'

/** A state that can be built: one that a user defined, or the implicit `boot` of a disk state. */
export interface BuildTask {
  /** As people call it: `debian/nginx`, `debian/nginx booted`. */
  name: string
  /** The name of the machine or of the environment. */
  owner: string
  /** The name of the state alone. */
  state: string
  liveness: Liveness
  /** What captures it. */
  backend: StateFiles['backend']
  key: StateKey
  parent: AnyState
  /** The state itself, or for `boot` the one that is booted. */
  definition: AnyState
  /** Milliseconds after which it is built anew; undefined for never. */
  maxAge: number | undefined
  /** What is done to the machines once they are up; nothing for `boot`. */
  setup: (held: unknown) => unknown
  /** Milliseconds that the setup may take. */
  timeout: number
  /** Milliseconds that a guest may take to power itself off. */
  shutdownTimeout: number
}

/** How a state that a user defined is built; undefined for a root, which is not built. */
export async function taskOf(state: AnyState, context: Context): Promise<BuildTask | undefined> {
  const { step, options, owner } = state[DETAILS]
  if (step === undefined) return undefined
  return {
    name: nameOf(state),
    owner: owner.name,
    state: state.name,
    liveness: state.liveness,
    backend: options.backend,
    key: await context.keyOf(state),
    parent: step.parent,
    definition: state,
    maxAge: options.maxAge,
    setup: step.setup,
    timeout: options.timeout,
    shutdownTimeout: options.shutdownTimeout,
  }
}

/** How the implicit live state `boot` of a disk state is built: by waiting until it is ready. */
export async function bootTaskOf(state: AnyState, context: Context): Promise<BuildTask> {
  const { options, owner } = state[DETAILS]
  return {
    name: `${nameOf(state)} booted`,
    owner: owner.name,
    state: 'boot',
    liveness: 'live',
    backend: 'fork',
    key: await context.bootKeyOf(state),
    parent: state,
    definition: state,
    maxAge: undefined,
    setup: () => {},
    timeout: options.timeout,
    shutdownTimeout: options.shutdownTimeout,
  }
}
