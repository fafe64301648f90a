import { DETAILS, type State } from '../../states/definitions/types.js'
import { type Definitions, findMachine, findState } from './load-machines.js'

/**
 * The states that a command line names.
 *
 * @param names - machines, for all of their states, and machine/state; all of the configuration
 *   where there is none
 * @throws VmStatesError `STATE_UNKNOWN`
 */
export function selectStates(definitions: Definitions, names: readonly string[]): State[] {
  const chosen = names.length === 0 ? [...definitions.machines.keys()] : names
  return [...new Set(chosen.flatMap((name) => statesOf(definitions, name)))]
}

function statesOf(definitions: Definitions, name: string): State[] {
  const [machineName = '', ...rest] = name.split('/')
  const machine = findMachine(definitions, machineName, `there is no machine ${machineName}`)
  if (rest.length > 0) return [findState(machine, rest.join('/'))]
  return [...machine[DETAILS].states.values()]
}
