import type { Architecture } from '../../params/architecture.js'
import type { ChainLink } from '../backing-chain.js'

/** UEFI firmware as QEMU gets it: two flash chips. */
export interface UefiFirmware {
  /** What runs; never written to. */
  code: ChainLink
  /** The variables of a machine that was never started. */
  variables: ChainLink
}

/** The machines that firmware is looked for. */
export interface FirmwareTarget {
  arch: Architecture
  /** As QEMU calls it: `q35`, `pc-q35-7.2`. */
  machineType: string
}

interface FlashFile {
  filename: string
  format: 'qcow2' | 'raw'
}

interface Descriptor {
  'interface-types': string[]
  mapping: {
    device: string
    mode?: string
    executable: FlashFile
    'nvram-template': FlashFile
  }
  targets: { architecture: string; machines: string[] }[]
  features: string[]
}

/** Such firmware runs only on machines that are set up for it, and boots only what is signed. */
const UNWANTED_FEATURES = ['requires-smm', 'secure-boot', 'enrolled-keys']

/** What QEMU's own names for its newest machine types begin with. */
const ALIASES = new Map([
  ['q35', 'pc-q35-'],
  ['pc', 'pc-i440fx-'],
  ['virt', 'virt-'],
])

/**
 * Reads a firmware descriptor, and judges the firmware in it.
 *
 * @param text - JSON, after `docs/interop/firmware.json` of QEMU
 * @returns undefined unless it is plain UEFI firmware for such machines, in flash
 */
export function readDescriptor(text: string, machine: FirmwareTarget): UefiFirmware | undefined {
  try {
    const descriptor = JSON.parse(text) as Descriptor
    return fits(descriptor, machine) ? flashOf(descriptor) : undefined
  } catch {
    // Not a descriptor, or one of other firmware, whose mapping has other fields.
    return undefined
  }
}

function fits(descriptor: Descriptor, { arch, machineType }: FirmwareTarget): boolean {
  const { mapping, targets, features } = descriptor
  return (
    descriptor['interface-types'].includes('uefi') &&
    mapping.device === 'flash' &&
    (mapping.mode ?? 'split') === 'split' &&
    !features.some((feature) => UNWANTED_FEATURES.includes(feature)) &&
    targets.some(
      ({ architecture, machines }) =>
        architecture === arch && machines.some((pattern) => matches(machineType, pattern)),
    )
  )
}

/** Patterns are as in `pc-q35-*`. */
function matches(machineType: string, pattern: string): boolean {
  const name = ALIASES.get(machineType) ?? machineType
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(name)
}

function flashOf({ mapping }: Descriptor): UefiFirmware | undefined {
  const [code, variables] = [mapping.executable, mapping['nvram-template']].map(
    ({ filename, format }) => ({ file: filename, format }),
  )
  return code && variables && { code, variables }
}
