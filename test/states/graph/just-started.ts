import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'

/**
 * Has machines count as just started, on however slow a host: one that has run for long gets another process
 * instead of going back in its own. See docs/decisions/190-how-long-a-machine-goes-back.md.
 */
export function asJustStarted(processes: readonly MachineProcess[]): void {
  for (const { runningTime } of processes)
    Object.defineProperty(runningTime, 'elapsed', { get: () => 0 })
}
