import { access, readdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Architecture } from '../../params/architecture.js'
import { VmStatesError } from '../../params/errors.js'
import { type FirmwareTarget, readDescriptor, type UefiFirmware } from './descriptor.js'

/** What to do where there is none. */
const HINTS: Readonly<Record<Architecture, string>> = {
  x86_64: 'Install it (Debian, Ubuntu: apt-get install ovmf; Fedora: dnf install edk2-ovmf).',
  aarch64:
    'Install it (Debian, Ubuntu: apt-get install qemu-efi-aarch64; Fedora: dnf install edk2-aarch64).',
}

/** Where descriptors are, from the general to the specific. */
function descriptorDirectories(): string[] {
  const { XDG_CONFIG_HOME } = process.env
  const ofUser = XDG_CONFIG_HOME || join(homedir(), '.config')
  return ['/usr/share', '/etc', ofUser].map((place) => join(place, 'qemu/firmware'))
}

/** The paths of all descriptors, best first: by their names, and the more specific for each name. */
async function descriptorFiles(directories: readonly string[]): Promise<string[]> {
  const files = new Map<string, string>()
  for (const directory of directories) {
    const names = await readdir(directory).catch(() => [])
    for (const name of names) if (name.endsWith('.json')) files.set(name, join(directory, name))
  }
  return [...files].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, path]) => path)
}

async function isThere({ code, variables }: UefiFirmware): Promise<boolean> {
  return await Promise.all([access(code.file), access(variables.file)]).then(
    () => true,
    () => false,
  )
}

/**
 * Finds the UEFI firmware that this host has for a machine type, by the descriptors that packages
 * of firmware bring (`docs/interop/firmware.json` of QEMU): the first that fits.
 *
 * @param directories - of descriptors, the more specific later; by default, QEMU's
 * @throws VmStatesError `FIRMWARE_MISSING` with what to install
 */
export async function findFirmware(
  machine: FirmwareTarget,
  directories: readonly string[] = descriptorDirectories(),
): Promise<UefiFirmware> {
  for (const file of await descriptorFiles(directories)) {
    const text = await readFile(file, 'utf8').catch(() => '')
    const firmware = readDescriptor(text, machine)
    if (firmware !== undefined && (await isThere(firmware))) return firmware
  }
  throw new VmStatesError(
    'FIRMWARE_MISSING',
    `this host has no UEFI firmware for ${machine.arch} machines of the type ${machine.machineType}`,
    { hint: HINTS[machine.arch] },
  )
}
