import { z } from 'zod'
import { parse } from './parse.js'
import { sizeSchema } from './size.js'

/** A limit, and who set it. */
export interface Limit {
  value: number
  /** For people: `maxMemory of states.config.ts`. */
  from: string
}

/** How much the machines of a host may take at once. What nobody set is found out, or no limit. */
export interface MachineLimits {
  /** Bytes. */
  memory?: Limit
  /** How many machines. */
  machines?: Limit
}

const MEMORY = 'VM_STATES_MAX_MEMORY'
const MACHINES = 'VM_STATES_MAX_MACHINES'

const COUNT = 'a number of machines is a whole number above 0'

/** How much memory machines may take at once, in bytes or as text such as "4 GiB". */
export const maxMemorySchema = sizeSchema

/** How many machines may run at once. */
export const maxMachinesSchema = z.number(COUNT).int(COUNT).positive(COUNT)

const writtenCountSchema = z
  .string()
  .regex(/^[1-9]\d*$/, COUNT)
  .transform(Number)

/** One place where limits may be written. */
export interface LimitSource {
  /** Its name, for people. */
  name: string
  maxMemory?: number | undefined
  maxMachines?: number | undefined
}

/**
 * The limits in force: each from `VM_STATES_MAX_MEMORY` and `VM_STATES_MAX_MACHINES`, else from the
 * first source that sets it.
 *
 * @throws VmStatesError `INVALID_VALUE` for an environment variable
 */
export function limitsOf(
  sources: readonly LimitSource[],
  environment: NodeJS.ProcessEnv,
): MachineLimits {
  const memory = environment.VM_STATES_MAX_MEMORY
  const machines = environment.VM_STATES_MAX_MACHINES
  const limits = {
    memory: memory
      ? { value: parse(maxMemorySchema, memory, MEMORY), from: MEMORY }
      : first('maxMemory', sources),
    machines: machines
      ? { value: parse(writtenCountSchema, machines, MACHINES), from: MACHINES }
      : first('maxMachines', sources),
  }
  return {
    ...(limits.memory && { memory: limits.memory }),
    ...(limits.machines && { machines: limits.machines }),
  }
}

function first(
  option: 'maxMemory' | 'maxMachines',
  sources: readonly LimitSource[],
): Limit | undefined {
  const source = sources.find((each) => each[option] !== undefined)
  const value = source?.[option]
  return value === undefined ? undefined : { value, from: `${option} of ${source?.name}` }
}
