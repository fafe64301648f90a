import { VmStatesError } from '../../params/errors.js'
import { stateNameSchema } from '../../params/names.js'
import { parse, showValue } from '../../params/parse.js'
import {
  liveStateOptionsSchema,
  type ParsedStateOptions,
  stateOptionsSchema,
} from '../../params/state.js'
import { duplicateName } from './duplicates.js'
import { findOrigin } from './origin.js'
import {
  DETAILS,
  type Liveness,
  type LiveStateOptions,
  type MachineDefinition,
  type Origin,
  type Setup,
  type State,
  type StateDetails,
  type StateOptions,
} from './types.js'

/** A state as `machine()`, `.state()` and `.live()` make it. */
export class StateDefinition<M extends string, L extends Liveness> implements State<M, L> {
  readonly machine: MachineDefinition<M>
  readonly name: string
  readonly liveness: L
  readonly [DETAILS]: StateDetails

  constructor(machine: MachineDefinition<M>, name: string, liveness: L, details: StateDetails) {
    this.machine = machine
    this.name = name
    this.liveness = liveness
    this[DETAILS] = details
  }

  state(name: string, setup: Setup<M, L>, options: StateOptions = {}): State<M, 'disk'> {
    return this.#extend(name, 'disk', setup, options, findOrigin(this.state))
  }

  live(name: string, setup: Setup<M, L>, options: LiveStateOptions = {}): State<M, 'live'> {
    return this.#extend(name, 'live', setup, options, findOrigin(this.live))
  }

  #extend<Child extends Liveness>(
    name: string,
    liveness: Child,
    setup: Setup<M, L>,
    options: StateOptions | LiveStateOptions,
    origin: Origin | undefined,
  ): State<M, Child> {
    const where = `${this.machine.name}/${name}`
    parse(stateNameSchema, name, 'state name')
    if (typeof setup !== 'function') {
      throw new VmStatesError(
        'INVALID_VALUE',
        `${where} setup is ${showValue(setup)}: a setup is a function that takes the machine`,
      )
    }
    const state = new StateDefinition(this.machine, name, liveness, {
      kind: 'state',
      origin,
      options: parseOptions(liveness, options, where),
      step: { parent: this, setup: setup as Setup },
    })
    const { states } = this.machine[DETAILS]
    const other = states.get(name)
    if (other !== undefined) {
      throw duplicateName(`state "${where}"`, name, other[DETAILS].origin, origin)
    }
    states.set(name, state)
    return state
  }
}

function parseOptions(liveness: Liveness, options: unknown, where: string): ParsedStateOptions {
  if (liveness === 'disk') return parse(stateOptionsSchema, options, where)
  return { ...stateOptionsSchema.parse({}), ...parse(liveStateOptionsSchema, options, where) }
}
