import { refreshIdentity } from '../../guest/wake/fresh-identity.js'
import { VmStatesError } from '../../params/errors.js'
import { withDeadline } from '../../qemu/deadline.js'
import { eachMember } from '../definitions/each-member.js'
import {
  type AnyState,
  DETAILS,
  type MachineDefinition,
  type MachineOptions,
  type Vm,
} from '../definitions/types.js'
import type { AvailableState } from '../graph/available-state.js'
import { awaitReady } from './await-ready.js'
import { Handles } from './handles.js'
import type { StartedMachine, StartedMachines } from './start-machines.js'

/** Milliseconds: keys of ssh take long under TCG. */
const IDENTITY_TIMEOUT = 300_000

/**
 * From machines that are in their state, stopped, to machines that a test can have: they run, they are
 * up, their guests are right, what their state needs yet was done, they have the identity that they are to
 * have, and their `afterRestore` has been called.
 *
 * @throws VmStatesError `AFTER_RESTORE_FAILED`, `IDENTITY_NOT_FRESH`; whatever {@link StartedMachines.resume} and
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
    for (const { name, member, setup, timeout } of state.replays ?? []) {
      const held = member === undefined ? handles.held : handles.vm(member)
      const done = Promise.resolve(held).then(setup)
      await withDeadline(done, `the setup of ${name}`, { timeout, signal })
    }
    await eachMember(definition[DETAILS].members, async ({ machine }, member) => {
      const { identity } = machine[DETAILS].options
      if (identity === 'fresh') {
        const { process, link } = started.machines[member] as StartedMachine
        const refreshed = refreshIdentity(process, link)
        const what = `the fresh identity of ${machine.name}`
        await withDeadline(refreshed, what, { timeout: IDENTITY_TIMEOUT, signal })
      }
      await callAfterRestore(machine, handles.vm(member), signal)
    })
  } finally {
    handles.release('its restore has ended')
  }
}

type AfterRestore = NonNullable<MachineOptions['afterRestore']>

async function callAfterRestore(
  machine: MachineDefinition,
  vm: Vm,
  signal: AbortSignal | undefined,
): Promise<void> {
  const afterRestore = machine[DETAILS].options.afterRestore as AfterRestore | undefined
  if (afterRestore === undefined) return
  const what = `the afterRestore of ${machine.name}`
  const called = Promise.resolve(vm).then(afterRestore)
  await withDeadline(called, what, { signal }).catch((cause: unknown) => {
    if (signal?.aborted) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new VmStatesError('AFTER_RESTORE_FAILED', `${what} failed: ${reason}`, { cause })
  })
}
