import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { PreparedMachine, Purpose } from '../../backends/backend.js'
import { OwnRam } from '../../backends/fork/own-ram.js'
import type { GuestLink } from '../../guest/channel/open-channel.js'
import type { Liveness } from '../../params/liveness.js'
import { tracer } from '../../params/trace.js'
import { withDeadline } from '../../qemu/deadline.js'
import { launch } from '../../qemu/machine/launch.js'
import type { Viewing } from '../../qemu/machine/launch-options.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { eachMember } from '../definitions/each-member.js'
import { machineName } from '../definitions/name-of.js'
import { type AnyState, DETAILS, type MachineDefinition } from '../definitions/types.js'
import type { AvailableMember, AvailableState } from '../graph/available-state.js'
import type { Context } from '../graph/context.js'
import { backendFor } from './backend-for.js'
import { type Course, courseOf } from './course.js'
import { attachDisks, hardwareOf, withTpm } from './hardware.js'
import { linkTo } from './link-to.js'
import { stopTogether } from './stop-together.js'

const trace = tracer('restore')

/** A machine in a state, and what it was made of. */
export interface StartedMachine extends Course {
  prepared: PreparedMachine
  process: MachineProcess
  /** The way to its guest, if not through the agent. */
  link: GuestLink | undefined
  /** The file of its RAM, for a machine that is to be captured. */
  ram: OwnRam | undefined
  /** Whether it goes on where it was captured, or boots. */
  liveness: Liveness
  /** Ends the process and deletes its directory: disks, console and QEMU's log. Never rejects. */
  discard(): Promise<void>
}

/** The machines of a state, all in it. */
export interface StartedMachines {
  machines: Readonly<Record<string, StartedMachine>>
  /**
   * Lets the CPUs run, of all at one moment. Guests of live states are woken: when it returns, their
   * clocks and random numbers are right. Disk states are at power-on then.
   *
   * @throws VmStatesError `GUEST_GONE`, `QMP_COMMAND_FAILED`, `QMP_CONNECTION_LOST`, `ABORTED`
   */
  resume(signal?: AbortSignal): Promise<void>
  /**
   * Wakes guests of live states and stops their CPUs again: QEMU has translated by then what waking takes, so
   * that they are right in a twentieth of the time when they go on. Nothing to guests at power-on.
   *
   * @throws VmStatesError as `resume`
   */
  warmUp(signal?: AbortSignal): Promise<void>
  /** Ends all of them. Never rejects. */
  discard(): Promise<void>
}

export interface StartOptions {
  purpose: Purpose
  signal?: AbortSignal | undefined
  /** For somebody who steps into machines, by member. */
  viewing?: Readonly<Record<string, Viewing>> | undefined
  /** Makes the files of a machine; by default, what captured its state does. */
  prepare?: ((member: string, directory: string) => Promise<PreparedMachine>) | undefined
}

/**
 * Starts the machines of a state, with their CPUs stopped: those of a live state will go on where they
 * were captured, those of a disk state will boot.
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
  const failed = new AbortController()
  const { signal = failed.signal } = options
  const either = AbortSignal.any([signal, failed.signal])
  const discard = async () => {
    await Promise.all(started.map((machine) => machine.discard()))
  }
  try {
    const machines = await eachMember(state[DETAILS].members, async ({ machine }, member) => {
      const files = available.members[member] as AvailableMember
      const name = machineName(state, member)
      const one = await startMachine(
        { name, member, machine, state: available.name, ...files },
        context,
        { ...options, signal: either },
      ).catch((error: unknown) => {
        failed.abort(error)
        throw error
      })
      started.push(one)
      return one
    })
    const resume = async (signal?: AbortSignal) => {
      await eachMember(machines, (machine) => machine.resume(signal))
    }
    const warmUp = async (signal?: AbortSignal) => {
      const live = started.filter(({ liveness }) => liveness === 'live')
      await Promise.all(live.map((machine) => machine.resume(signal)))
      await stopTogether(live.map(({ process }) => process))
    }
    return { machines, resume, warmUp, discard }
  } catch {
    await discard()
    // Not of those that it has interrupted.
    throw failed.signal.reason
  }
}

interface NewMachine extends AvailableMember {
  name: string
  member: string
  /** What it is started from, as people call it. */
  state: string
  machine: MachineDefinition
}

async function startMachine(
  { name, member, state, machine, files, directKernel, firmware, hostKey }: NewMachine,
  context: Context,
  { purpose, signal, viewing, prepare }: StartOptions,
): Promise<StartedMachine> {
  const run = await context.run()
  const directory = await run.machineDirectory(name)
  trace('%s: from %s by %s, for a %s, in %s', name, state, files.backend, purpose, directory)
  let process: MachineProcess | undefined
  let ram: OwnRam | undefined
  let link: GuestLink | undefined
  const discard = async () => {
    link?.drop()
    await process?.kill()
    await ram?.[Symbol.asyncDispose]()
    if (process !== undefined) await run.removeProcess(process.pid)
    await rm(directory, { recursive: true, force: true }).catch(() => {})
  }
  try {
    const disks = join(directory, 'disks')
    await mkdir(disks)
    const { options } = machine[DETAILS]
    const attached = { ...files, disks: attachDisks(files.disks, options) }
    const prepared = await (prepare?.(member, disks) ??
      withTpm(await backendFor(files.backend).prepare(attached, purpose, disks), options, disks))
    ram = prepared.ram
    const { memory } = options
    if (purpose === 'live') ram ??= await OwnRam.create(memory, disks)
    const { binary, accelerator } = await context.emulatorOf(machine)
    process = await launch({
      ...hardwareOf(options),
      ...{ binary, accelerator },
      paused: true,
      ...(ram && { ram: { path: ram.path, shared: true } }),
      ...prepared.launch,
      ...viewing?.[member],
      ...(directKernel && { directKernel }),
      firmware,
      name,
      disks: prepared.disks,
      directory,
      ...(signal && { signal }),
      onSpawn: (pid) => run.addProcess(pid),
    })
    context.report({ kind: 'started', state, pid: process.pid })
    await withDeadline(prepared.load(process), `the restore of ${state}`, { signal })
    trace('%s: loaded in process %d', name, process.pid)
    const { liveness } = files
    link = await linkTo(process, { options, context, hostKey })
    const course = courseOf(process, prepared, { machine, liveness, purpose, link })
    return { ...course, prepared, process, link, ram, liveness, discard }
  } catch (error) {
    await discard()
    throw error
  }
}
