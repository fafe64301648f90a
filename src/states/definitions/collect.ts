import { duplicateName } from './duplicates.js'
import { isEnvironment, isEnvironmentState, isMachine, isState } from './kinds.js'
import { DETAILS, type Definition, type EnvironmentDefinition } from './types.js'

/**
 * Every machine and environment that the exports of states files lead to: those that are exported,
 * those of exported states, and the machines of environments, also inside exported arrays and
 * objects. Each brings all of its states, exported or not.
 *
 * @param modules - the namespace objects of the loaded files
 * @returns machines and environments by name
 * @throws VmStatesError `DUPLICATE_NAME` if two of them have one name
 */
export function collectDefinitions(
  modules: Iterable<Readonly<Record<string, unknown>>>,
): Map<string, Definition> {
  const definitions = new Map<string, Definition>()
  for (const exported of modules) {
    for (const value of Object.values(exported)) {
      for (const definition of definitionsIn(value)) add(definitions, definition)
    }
  }
  return definitions
}

function add(definitions: Map<string, Definition>, definition: Definition): void {
  const { name } = definition
  const other = definitions.get(name)
  if (other !== undefined && other !== definition) {
    const kinds = new Set([other[DETAILS].kind, definition[DETAILS].kind])
    const what = `${[...kinds].join(' and ')} "${name}"`
    throw duplicateName(what, name, other[DETAILS].origin, definition[DETAILS].origin)
  }
  definitions.set(name, definition)
}

function definitionsIn(value: unknown): Definition[] {
  if (typeof value !== 'object' || value === null) return []
  if (isDefinition(value)) return definitionsOf(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  const inner = Array.isArray(value) || prototype === Object.prototype || prototype === null
  return inner ? Object.values(value).filter(isDefinition).flatMap(definitionsOf) : []
}

function isDefinition(value: unknown): boolean {
  return isMachine(value) || isState(value) || isEnvironment(value) || isEnvironmentState(value)
}

function definitionsOf(value: unknown): Definition[] {
  if (isMachine(value)) return [value]
  if (isState(value)) return [value.machine]
  if (isEnvironment(value)) return [...machinesOf(value), value]
  return isEnvironmentState(value) ? definitionsOf(value.environment) : []
}

function machinesOf(environment: EnvironmentDefinition): Definition[] {
  const { members } = environment[DETAILS].root[DETAILS]
  return Object.values(members).map(({ machine }) => machine)
}
