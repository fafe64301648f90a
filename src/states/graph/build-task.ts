import type { StateFiles } from '../../backends/backend.js'
import type { Liveness } from '../../params/liveness.js'
import { DETAILS, type MachineDefinition, type Setup, type State } from '../definitions/types.js'
import type { StateKey } from '../keys/key.js'
import type { Context } from './context.js'

/** A state that can be built: one that a user defined, or the implicit `boot` of a disk state. */
export interface BuildTask {
  machine: MachineDefinition
  /** As people call it: `debian/nginx`, `debian/nginx booted`. */
  name: string
  /** The name of the state alone. */
  state: string
  liveness: Liveness
  /** What captures it. */
  backend: StateFiles['backend']
  key: StateKey
  parent: State
  /** Milliseconds after which it is built anew; undefined for never. */
  maxAge: number | undefined
  /** What is done to the machine once it is up; nothing for `boot`. */
  setup: Setup
  /** Milliseconds that the setup may take. */
  timeout: number
  /** Milliseconds that the guest may take to power itself off. */
  shutdownTimeout: number
}

/** How a state that a user defined is built; undefined for a root, which is not built. */
export async function taskOf(state: State, context: Context): Promise<BuildTask | undefined> {
  const { step, options } = state[DETAILS]
  if (step === undefined) return undefined
  return {
    machine: state.machine,
    name: nameOf(state),
    state: state.name,
    liveness: state.liveness,
    backend: state.liveness === 'live' ? 'live' : options.backend,
    key: await context.keyOf(state),
    parent: step.parent,
    maxAge: options.maxAge,
    setup: step.setup,
    timeout: options.timeout,
    shutdownTimeout: options.shutdownTimeout,
  }
}

/** How the implicit live state `boot` of a disk state is built: by waiting until it is ready. */
export async function bootTaskOf(state: State, context: Context): Promise<BuildTask> {
  return {
    machine: state.machine,
    name: `${nameOf(state)} booted`,
    state: 'boot',
    liveness: 'live',
    backend: 'live',
    key: await context.bootKeyOf(state),
    parent: state,
    maxAge: undefined,
    setup: () => {},
    timeout: state[DETAILS].options.timeout,
    shutdownTimeout: state[DETAILS].options.shutdownTimeout,
  }
}

/** A state as people call it: `debian/nginx`. */
export function nameOf(state: State): string {
  return `${state.machine.name}/${state.name}`
}
