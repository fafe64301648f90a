import { VmStatesError } from '../../params/errors.js'
import { withDeadline } from '../../qemu/deadline.js'
import { eachMember } from '../definitions/each-member.js'
import { type AnyState, DETAILS, type MachineOptions } from '../definitions/types.js'
import type { AvailableState } from '../graph/available-state.js'
import { awaitReady } from './await-ready.js'
import { Handles } from './handles.js'
import type { StartedMachines } from './start-machines.js'

/**
 * From machines that are in their state, stopped, to machines that a test can have: they run, they are
 * up, their guests are right, and their `afterRestore` has been called.
 *
 * @throws VmStatesError `AFTER_RESTORE_FAILED`; whatever {@link StartedMachines.resume} and
 *   {@link awaitReady} throw
 */
export async function bringUp(
  definition: AnyState,
  state: AvailableState,
  started: StartedMachines,
  signal: AbortSignal | undefined,
): Promise<void> {
  const handles = new Handles(definition)
  handles.attach(started)
  try {
    await started.resume(signal)
    await awaitReady(definition, state, handles, signal)
    await callAfterRestore(definition, handles, signal)
  } finally {
    handles.release('its restore has ended')
  }
}

type AfterRestore = NonNullable<MachineOptions['afterRestore']>

async function callAfterRestore(
  definition: AnyState,
  handles: Handles,
  signal: AbortSignal | undefined,
): Promise<void> {
  await eachMember(definition[DETAILS].members, async ({ machine }, member) => {
    const afterRestore = machine[DETAILS].options.afterRestore as AfterRestore | undefined
    if (afterRestore === undefined) return
    const called = Promise.resolve(handles.vm(member)).then(afterRestore)
    const what = `the afterRestore of ${machine.name}`
    await withDeadline(called, what, { signal }).catch((cause: unknown) => {
      if (signal?.aborted) throw cause
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new VmStatesError('AFTER_RESTORE_FAILED', `${what} failed: ${reason}`, { cause })
    })
  })
}
