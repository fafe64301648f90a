import { defineState } from './define-state.js'
import { findOrigin } from './origin.js'
import {
  DETAILS,
  type EnvironmentDefinition,
  type EnvironmentState,
  type JointSetup,
  type Liveness,
  type LiveStateOptions,
  type Origin,
  type StateDetails,
  type StateOptions,
  type Vms,
  type VmsIn,
} from './types.js'

/** A state as `environment()`, its `.state()` and its `.live()` make it. */
export class EnvironmentStateDefinition<V extends Vms> implements EnvironmentState<V> {
  readonly environment: EnvironmentDefinition
  readonly name: string
  readonly liveness: Liveness
  readonly [DETAILS]: StateDetails<V>

  constructor(
    environment: EnvironmentDefinition,
    name: string,
    liveness: Liveness,
    details: Omit<StateDetails, 'hold'>,
  ) {
    this.environment = environment
    this.name = name
    this.liveness = liveness
    this[DETAILS] = { ...details, hold: (vms) => vms as V }
  }

  state(
    name: string,
    setup: JointSetup<V>,
    options?: StateOptions,
  ): EnvironmentState<VmsIn<V, 'disk'>> {
    return this.#extend(name, 'disk', setup, options, findOrigin(this.state))
  }

  live(
    name: string,
    setup: JointSetup<V>,
    options?: LiveStateOptions,
  ): EnvironmentState<VmsIn<V, 'live'>> {
    return this.#extend(name, 'live', setup, options, findOrigin(this.live))
  }

  #extend<L extends Liveness>(
    name: string,
    liveness: L,
    setup: JointSetup<V>,
    options: StateOptions | LiveStateOptions | undefined,
    origin: Origin | undefined,
  ): EnvironmentState<VmsIn<V, L>> {
    const details = defineState(this, { name, liveness, setup, options, origin })
    const { environment } = this
    const state = new EnvironmentStateDefinition<VmsIn<V, L>>(environment, name, liveness, details)
    environment[DETAILS].states.set(name, state)
    return state
  }
}
