import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { freezeFork, readyToFreeze } from '../../backends/fork/capture.js'
import { Succession } from '../../backends/fork/succession.js'
import { monotonic } from '../../params/clocks.js'
import { eachMember } from '../definitions/each-member.js'
import type { AnyState } from '../definitions/types.js'
import type { AvailableState } from '../graph/available-state.js'
import type { Context } from '../graph/context.js'
import {
  type CapturedMachines,
  capturable,
  hostKeysOf,
  requireRunning,
} from './capture-machines.js'
import { type StartedMachines, startMachines } from './start-machines.js'
import { stopTogether } from './stop-together.js'

/** Where machines come from, and where their present state goes. */
interface CaptureOptions {
  /** What they were started from. */
  available: AvailableState
  /** Of a draft: each member gets a directory in it. */
  directory: string
  context: Context
}

/**
 * Writes the present state of machines with RAM of their own as files, and has them go on from it: as
 * clones in new processes, which change none of the files and are started while the guests still run.
 * Guests stand still until device state was written and loaded; their RAM is copied while they run
 * again. They are woken as after any restore.
 *
 * Whoever has handles to the machines attaches them to what is returned; what was started is
 * discarded.
 *
 * @returns the files, the machines, which have no RAM of their own any more, and the milliseconds for
 *   which guests stood still
 * @throws VmStatesError `GUEST_GONE`, `SAVE_BLOCKED`, and whatever starting machines throws: the machines
 *   are as they were; whatever capturing them throws: the machines are gone
 */
export async function captureAndContinue(
  state: AnyState,
  started: StartedMachines,
  { available, directory, context }: CaptureOptions,
): Promise<{ captured: CapturedMachines; started: StartedMachines; stoodStill: number }> {
  const processes = Object.values(started.machines).map(({ process }) => process)
  for (const process of processes) requireRunning(process)
  const placeOf = (member: string) => join(directory, member)
  const successions = await eachMember(started.machines, async (machine, member) => {
    await mkdir(placeOf(member))
    await readyToFreeze(capturable(machine), placeOf(member))
    return new Succession(capturable(machine))
  })
  const members = await eachMember(available.members, async (member) => {
    return { ...member, files: { ...member.files, liveness: 'live' as const } }
  })
  const starting = startMachines(state, { ...available, members }, context, {
    purpose: 'test',
    prepare: (member, place) => (successions[member] as Succession).prepare(place),
  })
  await Promise.race([starting, eachMember(successions, ({ waiting }) => waiting)])
  try {
    const stoppedAt = monotonic()
    const skew = await stopTogether(processes)
    const frozen = await eachMember(started.machines, async (machine, member) => {
      const succession = successions[member] as Succession
      const frozen = await freezeFork(
        capturable(machine),
        placeOf(member),
        dirname(directory),
        (memory) => succession.giveMemory(memory),
      )
      succession.giveDisks(frozen.disks)
      return frozen
    })
    const clones = await starting
    let stoodStill = 0
    for (const { process } of Object.values(clones.machines)) {
      process.qmp.on('RESUME', () => {
        stoodStill = monotonic() - stoppedAt
      })
    }
    await clones.resume()
    const files = await eachMember(frozen, ({ keep }) => keep())
    return {
      captured: { files, skew, hostKeys: hostKeysOf(started.machines) },
      started: clones,
      stoodStill,
    }
  } catch (error) {
    for (const succession of Object.values(successions)) succession.cancel(error as Error)
    const clones = await starting.catch(() => undefined)
    await clones?.discard()
    throw error
  } finally {
    await started.discard()
  }
}
