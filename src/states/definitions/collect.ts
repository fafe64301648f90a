import { duplicateName } from './duplicates.js'
import { DETAILS, type MachineDefinition, type State } from './types.js'

/**
 * Every machine that the exports of states files lead to: exported machines, the machines of
 * exported states, also inside exported arrays and objects. A machine brings all of its states,
 * exported or not.
 *
 * @param modules - the namespace objects of the loaded files
 * @returns the machines by name
 * @throws VmStatesError `DUPLICATE_NAME` if two machines have one name
 */
export function collectMachines(
  modules: Iterable<Readonly<Record<string, unknown>>>,
): Map<string, MachineDefinition> {
  const machines = new Map<string, MachineDefinition>()
  for (const exported of modules) {
    for (const value of Object.values(exported)) {
      for (const machine of machinesIn(value)) add(machines, machine)
    }
  }
  return machines
}

function add(machines: Map<string, MachineDefinition>, machine: MachineDefinition): void {
  const other = machines.get(machine.name)
  if (other !== undefined && other !== machine) {
    const what = `machine "${machine.name}"`
    throw duplicateName(what, machine.name, other[DETAILS].origin, machine[DETAILS].origin)
  }
  machines.set(machine.name, machine)
}

function machinesIn(value: unknown): MachineDefinition[] {
  if (typeof value !== 'object' || value === null) return []
  if (isMachine(value)) return [value]
  if (isState(value)) return [value.machine]
  const prototype: unknown = Object.getPrototypeOf(value)
  const inner = Array.isArray(value) || prototype === Object.prototype || prototype === null
  return inner ? Object.values(value).filter(isDefinition).flatMap(machinesIn) : []
}

function isDefinition(value: unknown): value is object {
  return isMachine(value) || isState(value)
}

/** Whether a value is a machine's definition, of this or another copy of the package. */
export function isMachine(value: unknown): value is MachineDefinition {
  return kindOf(value) === 'machine'
}

/** Whether a value is a state's definition, of this or another copy of the package. */
export function isState(value: unknown): value is State {
  return kindOf(value) === 'state'
}

function kindOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !(DETAILS in value)) return undefined
  return (value as { [DETAILS]: { kind?: unknown } })[DETAILS].kind
}
