import {
  DETAILS,
  type EnvironmentDefinition,
  type EnvironmentState,
  type MachineDefinition,
  type State,
} from './types.js'

/** Whether a value is a machine's definition, of this or another copy of the package. */
export function isMachine(value: unknown): value is MachineDefinition {
  return kindOf(value) === 'machine'
}

/** Whether a value is the definition of a machine's state, of this or another copy of the package. */
export function isState(value: unknown): value is State {
  return kindOf(value) === 'state'
}

/** Whether a value is an environment's definition, of this or another copy of the package. */
export function isEnvironment(value: unknown): value is EnvironmentDefinition {
  return kindOf(value) === 'environment'
}

/** Whether a value is the definition of an environment's state, of this or another copy. */
export function isEnvironmentState(value: unknown): value is EnvironmentState {
  return kindOf(value) === 'environment-state'
}

function kindOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !(DETAILS in value)) return undefined
  return (value as { [DETAILS]: { kind?: unknown } })[DETAILS].kind
}
