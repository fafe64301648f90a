import { formatSize } from '../../params/format-size.js'
import type { Limit, MachineLimits } from '../../params/limits.js'
import { hostMemory } from '../../qemu/host-memory/host-memory.js'

/** What machines may take where nobody said otherwise; the rest is for everything else that runs. */
const SHARE = 3 / 4

/** How much machines may take at once. */
export interface LimitsInForce extends MachineLimits {
  memory: Limit
}

/** The limits that were set, and for memory else a share of what there is. */
export async function limitsInForce(set: MachineLimits): Promise<LimitsInForce> {
  if (set.memory !== undefined) return { ...set, memory: set.memory }
  const { bytes, of } = await hostMemory()
  const from = `three quarters of the ${formatSize(bytes)} of ${of}`
  return { ...set, memory: { value: Math.floor(bytes * SHARE), from } }
}
