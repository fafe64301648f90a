import { VmStatesError } from '../../params/errors.js'
import { type AnyState, DETAILS } from '../../states/definitions/types.js'
import { BOOTED } from '../targets/booted.js'
import { type Definitions, findDefinition, findState } from './load-machines.js'

/**
 * The states that a command line names.
 *
 * @param names - machines and environments, for all of their states, and machine/state; all of the
 *   configuration where there is none
 * @throws VmStatesError `STATE_UNKNOWN`; `USAGE` for a kept boot, which comes with its state
 */
export function selectStates(definitions: Definitions, names: readonly string[]): AnyState[] {
  const chosen = names.length === 0 ? [...definitions.byName.keys()] : names
  return [...new Set(chosen.flatMap((name) => statesOf(definitions, name)))]
}

function statesOf(definitions: Definitions, name: string): AnyState[] {
  if (name.endsWith(` ${BOOTED}`)) {
    const state = name.slice(0, -BOOTED.length - 1)
    throw new VmStatesError('USAGE', `${name} is not built by itself`, {
      hint: `It comes with its state: states build ${state}`,
    })
  }
  const [owner = '', ...rest] = name.split('/')
  const definition = findDefinition(
    definitions,
    owner,
    `there is no machine or environment ${owner}`,
  )
  if (rest.length > 0) return [findState(definition, rest.join('/'))]
  return [...definition[DETAILS].states.values()]
}
