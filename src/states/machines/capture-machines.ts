import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { CapturableMachine, StateFiles } from '../../backends/backend.js'
import { VmStatesError } from '../../params/errors.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { eachMember } from '../definitions/each-member.js'
import type { AvailableState } from '../graph/available-state.js'
import { backendFor } from './backend-for.js'
import type { StartedMachine, StartedMachines } from './start-machines.js'
import { stopTogether } from './stop-together.js'

/** Machines that were captured, as files. */
export interface CapturedMachines {
  files: Readonly<Record<string, StateFiles>>
  /** Milliseconds from the stop of the first to that of the last; for live states. */
  skew?: number
  /** Fingerprints of the host keys of ssh of those that were talked to so, by member. */
  hostKeys: Readonly<Record<string, string | undefined>>
}

/**
 * Finds out what a state could not keep of machines.
 *
 * @throws VmStatesError `SAVE_BLOCKED`
 */
export async function requireAllSavable(
  { machines }: StartedMachines,
  backend: StateFiles['backend'],
): Promise<void> {
  await eachMember(machines, async (machine) => {
    await backendFor(backend).requireSavable?.(capturable(machine))
  })
}

/**
 * Writes the present state of machines as files, and ends them. Guests of a disk state have shut down
 * already; the machines of a live state are stopped together first.
 *
 * @param directory - of a draft: each member gets a directory in it
 * @param from - what they were started from, where a kept boot is to be left out of the new state
 * @throws VmStatesError `GUEST_GONE` if a machine of a live state has ended; whatever the backend
 *   throws; files of members that were captured stay
 */
export async function captureMachines(
  { machines }: Pick<StartedMachines, 'machines'>,
  backend: StateFiles['backend'],
  directory: string,
  from?: AvailableState,
): Promise<CapturedMachines> {
  const { liveness, capture } = backendFor(backend)
  const processes = Object.values(machines).map(({ process }) => process)
  if (liveness === 'live') for (const process of processes) requireRunning(process)
  const skew = liveness === 'live' ? await stopTogether(processes) : undefined
  const files = await eachMember(machines, async (machine, member) => {
    const own = join(directory, member)
    await mkdir(own)
    const leavesBoot = from?.members[member]?.isBoot
    return await capture({ ...capturable(machine), leavesBoot }, own, dirname(directory))
  })
  return { files, hostKeys: hostKeysOf(machines), ...(skew !== undefined && { skew }) }
}

/** Fingerprints of the host keys of ssh of machines, by member, where they are known. */
export function hostKeysOf(machines: StartedMachines['machines']): CapturedMachines['hostKeys'] {
  const entries = Object.entries(machines).map(([member, { link }]) => [member, link?.hostKey])
  return Object.fromEntries(entries)
}

/** What a backend captures of a machine. */
export function capturable({ prepared, process, ram }: StartedMachine): CapturableMachine {
  return { disks: prepared.disks, process, ram }
}

/**
 * A setup may have shut its guest down, by a command that nobody waited for.
 *
 * @throws VmStatesError `GUEST_GONE`
 */
export function requireRunning({ options: { name }, running }: MachineProcess): void {
  if (running) return
  const text = `${name} has ended, and a live state is of a machine that runs`
  throw new VmStatesError('GUEST_GONE', text)
}
