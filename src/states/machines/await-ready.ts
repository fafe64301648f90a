import { monotonic } from '../../params/clocks.js'
import { withDeadline } from '../../qemu/deadline.js'
import { eachMember } from '../definitions/each-member.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import type { AvailableState } from '../graph/available-state.js'
import type { Handles } from './handles.js'

/** Whether machines that are started in a state boot first. */
export function boots({ members }: AvailableState): boolean {
  return Object.values(members).some(({ files }) => files.liveness === 'disk')
}

/**
 * Waits until the machines that were powered on are ready, as their definitions say; by default, until
 * the agent answers and the init system has settled. Those of live states are up already.
 *
 * @throws GuestError `GUEST_AGENT_MISSING`, `GUEST_NOT_READY`, `GUEST_GONE`, `ABORTED`
 * @throws what a machine's own `ready` throws; `TIMEOUT` if it does not end in time
 */
export async function awaitReady(
  state: AnyState,
  available: AvailableState,
  handles: Handles,
  signal: AbortSignal | undefined,
): Promise<void> {
  await eachMember(state[DETAILS].members, async ({ machine }, member) => {
    if (available.members[member]?.files.liveness !== 'disk') return
    const { ready, readyTimeout: timeout } = machine[DETAILS].options
    const vm = handles.vm(member)
    if (ready === undefined) return await vm.ready({ timeout, signal })
    const startedAt = monotonic()
    await handles.answers(member, { timeout, ...(signal && { signal }) })
    const left = Math.max(1, timeout - (monotonic() - startedAt))
    const own = Promise.resolve(vm as never).then(ready)
    await withDeadline(own, `the ready of ${machine.name}`, { timeout: left, signal })
  })
}
