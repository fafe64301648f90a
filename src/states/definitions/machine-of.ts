import {
  type AnyState,
  DETAILS,
  type MachineDefinition,
  type Member,
  ONLY_MEMBER,
} from './types.js'

/** The one machine of a machine's own state. */
export function machineOf(state: AnyState): MachineDefinition {
  return (state[DETAILS].members[ONLY_MEMBER] as Member).machine
}
