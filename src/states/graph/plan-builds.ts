import { keepsBoot } from '../definitions/keeps-boot.js'
import { nameOf } from '../definitions/name-of.js'
import { parentsOf } from '../definitions/parents-of.js'
import type { StateKind } from '../definitions/state-kind.js'
import type { AnyState } from '../definitions/types.js'

/** A state that is to be available, or the kept boot of one. */
export interface PlannedState {
  /** As people call it: `debian/nginx`, `debian/nginx booted`. */
  name: string
  /** A machine's image is only fetched. */
  kind: StateKind
  /** The state, or that of which it is the kept boot. */
  state: AnyState
  /** Whether it is built although it is there. */
  rebuild: boolean
  /** What it stands on. */
  parents: readonly PlannedState[]
  /** The kept boots of what it stands on, which it is built from where they are there. */
  startsFrom: readonly PlannedState[]
}

/** What is to be built besides the states themselves. */
export interface PlanOptions {
  boots?: boolean
  rebuild?: boolean
}

/**
 * States with all that they stand on, each once, parents and their boots before those that stand on
 * them.
 */
export function planBuilds(
  states: Iterable<AnyState>,
  { boots = true, rebuild = false }: PlanOptions = {},
): PlannedState[] {
  const asked = new Set(states)
  const planned = new Map<AnyState, PlannedState>()
  const bootsOf = new Map<PlannedState, PlannedState>()
  const plan: PlannedState[] = []

  function add(state: AnyState): PlannedState {
    const known = planned.get(state)
    if (known !== undefined) return known
    const parents = parentsOf(state).map(add)
    const added: PlannedState = {
      name: nameOf(state),
      kind: parents.length === 0 ? 'image' : state.liveness,
      state,
      rebuild: rebuild && asked.has(state),
      parents,
      startsFrom: parents.flatMap((parent) => bootsOf.get(parent) ?? []),
    }
    planned.set(state, added)
    plan.push(added)
    if (boots && asked.has(state) && keepsBoot(state)) {
      const boot = bootOf(added, rebuild)
      bootsOf.set(added, boot)
      plan.push(boot)
    }
    return added
  }

  for (const state of asked) add(state)
  return plan
}

function bootOf(parent: PlannedState, rebuild: boolean): PlannedState {
  return {
    name: `${parent.name} booted`,
    kind: 'boot',
    state: parent.state,
    rebuild,
    parents: [parent],
    startsFrom: [],
  }
}
