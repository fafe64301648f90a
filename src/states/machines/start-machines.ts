import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { PreparedMachine, Purpose } from '../../backends/backend.js'
import { launch } from '../../qemu/machine/launch.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { eachMember } from '../definitions/each-member.js'
import { machineName } from '../definitions/name-of.js'
import { type AnyState, DETAILS, type MachineDefinition } from '../definitions/types.js'
import type { AvailableMember, AvailableState } from '../graph/available-state.js'
import type { Context } from '../graph/context.js'
import { backendFor } from './backend-for.js'

/** A machine that runs in a state, and what it was made of. */
export interface StartedMachine {
  prepared: PreparedMachine
  process: MachineProcess
  /** Ends the process and deletes its directory: disks, console and QEMU's log. Never rejects. */
  discard(): Promise<void>
}

/** The machines of a state, all running in it. */
export interface StartedMachines {
  machines: Readonly<Record<string, StartedMachine>>
  /** Ends all of them. Never rejects. */
  discard(): Promise<void>
}

export interface StartOptions {
  purpose: Purpose
  signal?: AbortSignal | undefined
}

/**
 * Starts the machines of a state at once: those of a live state go on where they were captured, those
 * of a disk state are powered on.
 *
 * @throws VmStatesError if files are missing, the disk is full or QEMU fails; nothing is left behind
 *   then
 */
export async function startMachines(
  state: AnyState,
  available: AvailableState,
  context: Context,
  options: StartOptions,
): Promise<StartedMachines> {
  const started: StartedMachine[] = []
  const discard = async () => {
    await Promise.all(started.map((machine) => machine.discard()))
  }
  try {
    const machines = await eachMember(state[DETAILS].members, async ({ machine }, member) => {
      const files = available.members[member] as AvailableMember
      const name = machineName(state, member)
      const one = await startMachine(
        { name, machine, state: available.name, ...files },
        context,
        options,
      )
      started.push(one)
      return one
    })
    return { machines, discard }
  } catch (error) {
    await discard()
    throw error
  }
}

interface NewMachine extends AvailableMember {
  name: string
  /** What it is started from, as people call it. */
  state: string
  machine: MachineDefinition
}

async function startMachine(
  { name, state, machine, files, directKernel }: NewMachine,
  context: Context,
  { purpose, signal }: StartOptions,
): Promise<StartedMachine> {
  const run = await context.run()
  const directory = await run.machineDirectory(name)
  let process: MachineProcess | undefined
  const discard = async () => {
    await process?.close()
    if (process !== undefined) await run.removeProcess(process.pid)
    await rm(directory, { recursive: true, force: true }).catch(() => {})
  }
  try {
    const disks = join(directory, 'disks')
    await mkdir(disks)
    const prepared = await backendFor(files.backend).prepare(files, purpose, disks)
    const { memory, cpus, cpuModel, machineType, network, extraArgs } = machine[DETAILS].options
    const { binary, accelerator } = await context.emulatorOf(machine)
    process = await launch({
      ...{ memory, cpus, cpuModel, machineType, network, extraArgs, binary, accelerator },
      ...prepared.launch,
      ...(directKernel && { directKernel }),
      name,
      disks: prepared.disks,
      directory,
      ...(signal && { signal }),
      onSpawn: (pid) => run.addProcess(pid),
    })
    context.report({ kind: 'started', state, pid: process.pid })
    await prepared.start(process)
    return { prepared, process, discard }
  } catch (error) {
    await discard()
    throw error
  }
}
