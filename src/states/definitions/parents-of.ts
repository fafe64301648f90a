import { type AnyState, DETAILS } from './types.js'

/**
 * The states that a state is built on: none for an image, and those of the members for the first
 * states of an environment. The root of an environment consists of them, and is none of them.
 */
export function parentsOf(state: AnyState): readonly AnyState[] {
  const { step, sources } = state[DETAILS]
  if (sources !== undefined) return Object.values(sources)
  if (step === undefined) return []
  return step.parent[DETAILS].sources === undefined ? [step.parent] : parentsOf(step.parent)
}
