import type { Architecture } from '../../params/architecture.js'

/** What the built-in guest is made of on an architecture, where that differs. */
export interface TinyPlatform {
  /** The architecture's name in Debian. */
  debian: string
  /** What its kernel calls the machine's serial port. */
  console: string
  /** Further parameters of its kernel. */
  parameters: readonly string[]
  /** Modules that are loaded when its root filesystem is up, as far as the kernel has them. */
  modules: readonly string[]
}

export const PLATFORMS: Readonly<Record<Architecture, TinyPlatform>> = {
  x86_64: {
    debian: 'amd64',
    console: 'ttyS0',
    // Its check of timers hangs where the host is too busy to answer in time, and what it then takes for the speed
    // of the time stamp counter may be a fifth of it: docs/decisions/191-the-tiny-guest-does-without-the-tsc.md.
    parameters: ['notsc', 'noreplace-smp', 'no_timer_check'],
    modules: ['button', 'pvpanic_mmio'],
  },
  aarch64: {
    debian: 'arm64',
    console: 'ttyAMA0',
    parameters: [],
    modules: ['pvpanic_pci'],
  },
}

/**
 * Parameters that the guest's kernel is started with. Its self-tests, mitigations and security modules would take a
 * third of the boot under TCG.
 */
export function kernelParameters(arch: Architecture): string {
  const { console, parameters } = PLATFORMS[arch]
  const common = ['quiet', 'nokaslr', 'mitigations=off', 'lsm=', 'cryptomgr.notests']
  return [`console=${console}`, ...common, ...parameters].join(' ')
}
