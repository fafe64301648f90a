import type { LimitsInForce } from './limits-in-force.js'
import type { Amount } from './need.js'

/** How many times what machines take fits into the limits; at least 1. */
export function howManyFit({ memory, machines }: Amount, limits: LimitsInForce): number {
  const byMemory = limits.memory.value / memory
  const byNumber = (limits.machines?.value ?? Number.POSITIVE_INFINITY) / machines
  return Math.max(1, Math.floor(Math.min(byMemory, byNumber)))
}
