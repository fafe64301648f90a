import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PreparedMachine } from '../../backends/backend.js'
import { IMAGE_DISK_NAME, TPM_DISK_NAME } from '../../params/drives.js'
import type { ParsedMachineOptions } from '../../params/machine.js'
import { fileError } from '../../qemu/file-error.js'
import type { Disk, Hardware, LaunchOptions } from '../../qemu/machine/launch-options.js'

/** What a launch is told of a machine's definition besides its disks. */
export function hardwareOf(
  options: ParsedMachineOptions,
): Hardware & Pick<LaunchOptions, 'wrapper' | 'extraFds'> {
  const { memory, cpus, cpuModel, machineType, network, extraArgs } = options
  const { arch, console, bootOrder, hotplugPorts, wrapper, extraFds } = options
  return {
    ...{ arch, memory, cpus, cpuModel, machineType, network, bootOrder, hotplugPorts },
    ...{ console, wrapper, extraFds, extraArgs },
  }
}

/** The disks of a state as the machine has them now: how the host caches one is not of the state. */
export function attachDisks(
  files: readonly Disk[],
  { imageDisk, disks, cdroms }: ParsedMachineOptions,
): Disk[] {
  const drives = [{ name: IMAGE_DISK_NAME, ...imageDisk }, ...disks, ...cdroms]
  return files.map((file) => {
    const drive = drives.find(({ name }) => name === file.name)
    if (drive === undefined) return file
    return { ...file, bus: drive.bus, ...('cache' in drive && { cache: drive.cache }) }
  })
}

/** Gives a machine with a TPM that no state has anything of yet one that was never started. */
export async function withTpm(
  prepared: PreparedMachine,
  { tpm }: ParsedMachineOptions,
  directory: string,
): Promise<PreparedMachine> {
  if (!tpm || prepared.disks.some(({ role }) => role === 'tpm')) return prepared
  const file = join(directory, TPM_DISK_NAME)
  await writeFile(file, '', { flag: 'wx', mode: 0o600 }).catch((error: unknown) => {
    throw fileError(error, file)
  })
  const stored: Disk = { name: TPM_DISK_NAME, role: 'tpm', file, format: 'raw' }
  return { ...prepared, disks: [...prepared.disks, stored] }
}
