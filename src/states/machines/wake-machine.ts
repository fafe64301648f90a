import { type WakeOptions, type Waking, wakeGuest } from '../../guest/wake/wake-guest.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { warn } from './warn.js'

/**
 * Lets a machine run that is in a live state, and wakes its guest: before it returns, clock and random
 * numbers are right. What cannot be done is said once.
 *
 * @returns by what it was woken
 * @throws VmStatesError `GUEST_GONE`, `QMP_COMMAND_FAILED`, `QMP_CONNECTION_LOST`, `ABORTED`
 */
export async function wakeMachine(
  process: MachineProcess,
  options: WakeOptions,
): Promise<Waking['by']> {
  const { by, fault } = await wakeGuest(process, options)
  if (fault !== undefined) {
    warn(`${process.options.name} was restored, but its guest is not right in all (${fault})`)
  }
  return by
}
