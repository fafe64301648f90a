import { type AnyState, DETAILS } from '../../states/definitions/types.js'
import { type Definitions, findDefinition, findState } from './load-machines.js'

/**
 * The states that a command line names.
 *
 * @param names - machines and environments, for all of their states, and machine/state; all of the
 *   configuration where there is none
 * @throws VmStatesError `STATE_UNKNOWN`
 */
export function selectStates(definitions: Definitions, names: readonly string[]): AnyState[] {
  const chosen = names.length === 0 ? [...definitions.byName.keys()] : names
  return [...new Set(chosen.flatMap((name) => statesOf(definitions, name)))]
}

function statesOf(definitions: Definitions, name: string): AnyState[] {
  const [owner = '', ...rest] = name.split('/')
  const definition = findDefinition(definitions, owner, `there is no machine ${owner}`)
  if (rest.length > 0) return [findState(definition, rest.join('/'))]
  return [...definition[DETAILS].states.values()]
}
