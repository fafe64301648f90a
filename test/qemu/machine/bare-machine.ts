import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { launch } from '../../../src/qemu/machine/launch.js'
import type { LaunchOptions } from '../../../src/qemu/machine/launch-options.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'

/** A directory that is gone after the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'vm-states-test-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** Options of a machine without disks: its firmware runs, finds nothing to boot, and waits. */
export async function bareOptions(changes: Partial<LaunchOptions> = {}): Promise<LaunchOptions> {
  return {
    name: 'bare',
    binary: 'qemu-system-x86_64',
    accelerator: 'tcg',
    memory: 32 * 2 ** 20,
    cpus: 1,
    cpuModel: 'qemu64',
    machineType: 'q35',
    network: 'nat',
    extraArgs: [],
    disks: [],
    directory: changes.directory ?? (await temporaryDirectory()),
    ...changes,
  }
}

/** Launches a bare machine that is closed after the test. */
export async function launchBare(changes: Partial<LaunchOptions> = {}): Promise<MachineProcess> {
  const machine = await launch(await bareOptions(changes))
  onTestFinished(() => machine.close())
  return machine
}

/** Awaits the firmware's last words: from here on the guest's power and reset registers work. */
export async function firmwareReady(machine: MachineProcess): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await machine.consoleTail()).includes('No bootable device')) {
    if (Date.now() > deadline) throw new Error(`no firmware: ${await machine.consoleTail()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** What a guest writes to its ACPI register to power itself off. */
export const POWER_OFF = 'o /w 0x604 0x2000'
/** What a guest writes to reset itself. */
export const RESET = 'o /b 0xcf9 6'
/** What a Linux guest writes to the pvpanic device when it panics. */
export const PANIC = 'o /b 0x505 1'
