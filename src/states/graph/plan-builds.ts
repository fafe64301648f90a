import type { Liveness } from '../../params/liveness.js'
import { DETAILS, type State } from '../definitions/types.js'
import { nameOf } from './build-task.js'

/** A state that is to be available, or the kept boot of one. */
export interface PlannedState {
  /** As people call it: `debian/nginx`, `debian/nginx booted`. */
  name: string
  liveness: Liveness
  state: State
  /** Whether it is the kept boot of the state. */
  isBoot: boolean
  /** Whether it is a machine's image, which is only fetched. */
  isImage: boolean
  /** Whether it is built although it is there. */
  rebuild: boolean
  /** What it stands on. */
  parents: readonly PlannedState[]
}

/** What is to be built besides the states themselves. */
export interface PlanOptions {
  boots?: boolean
  rebuild?: boolean
}

/**
 * States with all that they stand on, each once, parents before those that stand on them. Boots come
 * last: no state waits for them.
 */
export function planBuilds(
  states: Iterable<State>,
  { boots = true, rebuild = false }: PlanOptions = {},
): PlannedState[] {
  const asked = new Set(states)
  const planned = new Map<State, PlannedState>()
  const plan: PlannedState[] = []

  function add(state: State): PlannedState {
    const known = planned.get(state)
    if (known !== undefined) return known
    const { step } = state[DETAILS]
    const parents = step === undefined ? [] : [add(step.parent)]
    const added: PlannedState = {
      name: nameOf(state),
      liveness: state.liveness,
      state,
      isBoot: false,
      isImage: step === undefined,
      rebuild: rebuild && asked.has(state),
      parents,
    }
    planned.set(state, added)
    plan.push(added)
    return added
  }

  const added = [...asked].map(add)
  if (!boots) return plan
  return [...plan, ...added.filter(hasKeptBoot).map((parent) => bootOf(parent, rebuild))]
}

/** Whether tests on a state start from its kept boot. */
function hasKeptBoot({ liveness, state }: PlannedState): boolean {
  return liveness === 'disk' && state.machine[DETAILS].options.boot === 'live'
}

function bootOf(parent: PlannedState, rebuild: boolean): PlannedState {
  return {
    name: `${parent.name} booted`,
    liveness: 'live',
    state: parent.state,
    isBoot: true,
    isImage: false,
    rebuild,
    parents: [parent],
  }
}
