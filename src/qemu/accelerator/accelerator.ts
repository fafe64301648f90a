/** How guest code runs: by hardware (KVM), or translated by QEMU (TCG). */
export type Accelerator = 'kvm' | 'tcg'
