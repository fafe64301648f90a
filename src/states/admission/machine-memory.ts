/**
 * Bytes that QEMU needs besides the guest's memory. Measured with 7.2 under TCG: 40 to 70 MiB.
 */
export const QEMU_ITSELF = 80 * 2 ** 20

/** Bytes of the host's memory that a machine may take. */
export function machineMemory({ memory }: { memory: number }): number {
  return memory + QEMU_ITSELF
}
