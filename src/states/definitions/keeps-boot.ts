import { type AnyState, DETAILS } from './types.js'

/**
 * Whether tests on a state start from its kept boot: those on a disk state of machines of which none
 * boots cold.
 */
export function keepsBoot(state: AnyState): boolean {
  const machines = Object.values(state[DETAILS].members).map(({ machine }) => machine)
  return (
    state.liveness === 'disk' &&
    machines.every((machine) => machine[DETAILS].options.boot === 'live')
  )
}
