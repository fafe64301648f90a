import { setTimeout as delay } from 'node:timers/promises'
import type { PreparedMachine, Purpose } from '../../backends/backend.js'
import type { GuestLink } from '../../guest/channel/open-channel.js'
import type { Liveness } from '../../params/liveness.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { DETAILS, type MachineDefinition } from '../definitions/types.js'
import { wakeMachine } from './wake-machine.js'

/**
 * Milliseconds that a machine may have run before it goes back to its state under TCG, which never turns
 * the time stamp counter back: a guest whose clock it is takes them for time of its own. See
 * docs/decisions/190-how-long-a-machine-goes-back.md.
 */
const LONGEST_RUN = 5000

/** Times that connections of ours, which were just closed, are looked for, and milliseconds between. */
const LOOKS = 3
const PAUSE = 5

/** Whether somebody is connected to the guest, or it to somebody: they would be to another one, after a restore. */
async function isConnected(process: MachineProcess): Promise<boolean> {
  for (let looks = 1; await process.hasConnections(); looks++) {
    if (looks === LOOKS) return true
    await delay(PAUSE)
  }
  return false
}

/** How a machine goes on from its state, and back to it. */
export interface Course {
  /** Lets the CPUs run; returns once the guest is right. */
  resume(signal?: AbortSignal): Promise<void>
  /** Whether {@link rewind} may succeed. */
  canRewind(): boolean
  /**
   * Brings the machine back to its state within its process, with its CPUs stopped. Never rejects.
   *
   * @returns whether it is in its state; otherwise it is good for nothing
   */
  rewind(): Promise<boolean>
}

/** The course of a machine that was loaded. */
export function courseOf(
  process: MachineProcess,
  prepared: PreparedMachine,
  options: {
    machine: MachineDefinition
    liveness: Liveness
    purpose: Purpose
    link: GuestLink | undefined
  },
): Course {
  const { machine, liveness, purpose, link } = options
  // Setups always run at the host's time, so that no state depends on what tests have asked for.
  const clock = purpose === 'test' ? machine[DETAILS].options.clock : 'host'
  // One that programs wake may have nothing for random numbers but vmgenid: another id takes another QEMU.
  let isOnlyOnce = false
  const isAsItWas = () => !process.isAltered && !process.serial.isTyped && !isOnlyOnce
  const longestRun = clock === 'frozen' ? 0 : LONGEST_RUN
  const isInTime = () =>
    process.options.accelerator === 'kvm' || process.runningTime.elapsed <= longestRun
  const canRewind = () =>
    prepared.rewind !== undefined && process.running && isAsItWas() && isInTime()
  return {
    async resume(signal) {
      if (liveness === 'disk') await process.qmp.execute('cont')
      else isOnlyOnce = (await wakeMachine(process, { link, clock, signal })) === 'programs'
    },
    canRewind,
    async rewind() {
      if (!canRewind()) return false
      try {
        link?.rewind()
        await process.qmp.execute('stop')
        await process.removePortForwards()
        if (await isConnected(process)) return false
        await prepared.rewind?.(process)
        process.serial.restart()
        return true
      } catch {
        return false
      }
    },
  }
}
