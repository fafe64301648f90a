import { defineState } from './define-state.js'
import { findOrigin } from './origin.js'
import {
  DETAILS,
  type Liveness,
  type LiveStateOptions,
  type MachineDefinition,
  ONLY_MEMBER,
  type Origin,
  type Setup,
  type State,
  type StateDetails,
  type StateOptions,
  type Vm,
} from './types.js'

/** A state as `machine()`, `.state()` and `.live()` make it. */
export class StateDefinition<M extends string, L extends Liveness> implements State<M, L> {
  readonly machine: MachineDefinition<M>
  readonly name: string
  readonly liveness: L
  readonly [DETAILS]: StateDetails<Vm<M, L>>

  constructor(
    machine: MachineDefinition<M>,
    name: string,
    liveness: L,
    details: Omit<StateDetails, 'hold'>,
  ) {
    this.machine = machine
    this.name = name
    this.liveness = liveness
    this[DETAILS] = { ...details, hold: (vms) => vms[ONLY_MEMBER] as Vm<M, L> }
  }

  state(name: string, setup: Setup<M, L>, options?: StateOptions): State<M, 'disk'> {
    return this.#extend(name, 'disk', setup, options, findOrigin(this.state))
  }

  live(name: string, setup: Setup<M, L>, options?: LiveStateOptions): State<M, 'live'> {
    return this.#extend(name, 'live', setup, options, findOrigin(this.live))
  }

  #extend<Child extends Liveness>(
    name: string,
    liveness: Child,
    setup: Setup<M, L>,
    options: StateOptions | LiveStateOptions | undefined,
    origin: Origin | undefined,
  ): State<M, Child> {
    const details = defineState(this, { name, liveness, setup, options, origin })
    const state = new StateDefinition(this.machine, name, liveness, details)
    this.machine[DETAILS].states.set(name, state)
    return state
  }
}
