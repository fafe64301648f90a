import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { GraphBackend, PreparedMachine, Purpose, StateFiles } from '../../backends/backend.js'
import { externalBackend } from '../../backends/external/graph.js'
import { internalBackend } from '../../backends/internal/graph.js'
import { liveBackend } from '../../backends/live/graph.js'
import { launch } from '../../qemu/machine/launch.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { DETAILS, type MachineDefinition } from '../definitions/types.js'
import type { AvailableState } from '../graph/available-state.js'
import type { Context } from '../graph/context.js'

/** A machine that runs in a state, and what it was made of. */
export interface StartedMachine {
  prepared: PreparedMachine
  process: MachineProcess
  /** Its own directory: disks, console and QEMU's log. */
  directory: string
  /** Ends the process and deletes the directory. Never rejects. */
  discard(): Promise<void>
}

export interface StartOptions {
  purpose: Purpose
  signal?: AbortSignal | undefined
}

const BACKENDS: Readonly<Record<StateFiles['backend'], GraphBackend>> = {
  // The root of a chain is only stood on, as a state of overlays is.
  image: externalBackend,
  external: externalBackend,
  internal: internalBackend,
  live: liveBackend,
}

/** The backend that prepares what it captured itself. */
export function backendFor(name: StateFiles['backend']): GraphBackend {
  return BACKENDS[name]
}

/**
 * Starts a machine in a state: a live state goes on where it was captured, a disk state is powered on.
 *
 * @throws VmStatesError if its files are missing, the disk is full or QEMU fails; nothing is left
 *   behind then
 */
export async function startMachine(
  machine: MachineDefinition,
  state: AvailableState,
  context: Context,
  { purpose, signal }: StartOptions,
): Promise<StartedMachine> {
  const run = await context.run()
  const directory = await run.machineDirectory(machine.name)
  let process: MachineProcess | undefined
  const discard = async () => {
    await process?.close()
    if (process !== undefined) await run.removeProcess(process.pid)
    await rm(directory, { recursive: true, force: true }).catch(() => {})
  }
  try {
    const disks = join(directory, 'disks')
    await mkdir(disks)
    const prepared = await backendFor(state.files.backend).prepare(state.files, purpose, disks)
    const { memory, cpus, cpuModel, machineType, network, extraArgs } = machine[DETAILS].options
    const { binary, accelerator } = await context.emulatorOf(machine)
    process = await launch({
      ...{ memory, cpus, cpuModel, machineType, network, extraArgs, binary, accelerator },
      ...prepared.launch,
      ...(state.directKernel && { directKernel: state.directKernel }),
      name: machine.name,
      disks: prepared.disks,
      directory,
      ...(signal && { signal }),
      onSpawn: (pid) => run.addProcess(pid),
    })
    context.report({ kind: 'started', state: state.name, pid: process.pid })
    await prepared.start(process)
    return { prepared, process, directory, discard }
  } catch (error) {
    await discard()
    throw error
  }
}
