import { VmStatesError } from '../../params/errors.js'
import { formatSize } from '../../params/format-size.js'
import type { LimitsInForce } from './limits-in-force.js'
import { QEMU_ITSELF } from './machine-memory.js'
import type { Need } from './need.js'

/**
 * Refuses machines that could never run within the limits, before anyone waits for them.
 *
 * @throws VmStatesError `MACHINE_TOO_LARGE`
 */
export function requireFitting(need: Need, limits: LimitsInForce): void {
  const { memory, machines, label } = need
  if (memory > limits.memory.value) {
    const itself = formatSize(machines * QEMU_ITSELF)
    throw new VmStatesError(
      'MACHINE_TOO_LARGE',
      `${label} needs ${formatSize(memory)}, ${itself} of it for QEMU itself: more than the ${formatSize(limits.memory.value)} that machines may take (${limits.memory.from})`,
      { hint: 'Give it less memory, or set maxMemory or VM_STATES_MAX_MEMORY.' },
    )
  }
  if (limits.machines !== undefined && machines > limits.machines.value) {
    throw new VmStatesError(
      'MACHINE_TOO_LARGE',
      `${label} needs ${machines} machines at once: more than the ${limits.machines.value} that may run (${limits.machines.from})`,
      { hint: 'Raise maxMachines or VM_STATES_MAX_MACHINES.' },
    )
  }
}
