import { eachMember } from '../definitions/each-member.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import type { AvailableState } from '../graph/available-state.js'
import type { Handles } from './handles.js'

/**
 * Waits until the machines that were powered on have booted. Those of live states are up already.
 *
 * @throws GuestError `GUEST_AGENT_MISSING`, `GUEST_GONE`, `ABORTED`
 */
export async function awaitReady(
  state: AnyState,
  available: AvailableState,
  handles: Handles,
  signal: AbortSignal | undefined,
): Promise<void> {
  await eachMember(state[DETAILS].members, async ({ machine }, member) => {
    if (available.members[member]?.files.liveness !== 'disk') return
    const timeout = machine[DETAILS].options.readyTimeout
    await handles.vm(member).ready({ timeout, signal })
  })
}
