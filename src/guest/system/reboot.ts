import { isVmStatesError } from '../../params/errors.js'
import type { Patience } from '../../qemu/deadline.js'
import { checkTimeout } from '../exec/options.js'
import type { AttachedGuest } from '../guest-access.js'
import { GuestError } from '../guest-error.js'

/** The agent answers as soon as the guest's `shutdown` command has failed. */
const REFUSAL_TIMEOUT = 10_000

/**
 * Has the guest shut down and boot again; returns when it has reset the machine.
 *
 * @param timeout - milliseconds
 * @throws GuestError `TIMEOUT`, `ABORTED`, `GUEST_AGENT_MISSING`, `GUEST_AGENT_REFUSED`, `GUEST_GONE`
 */
export async function reboot(
  { agent, process }: AttachedGuest,
  { timeout, signal }: Patience & { timeout: number },
): Promise<void> {
  checkTimeout('reboot.timeout', timeout)
  await agent.synchronize({ timeout, ...(signal !== undefined && { signal }) })
  const reset = process.qmp.waitForEvent('RESET', {
    match: ({ data }) => data.guest === true,
    timeout,
    signal,
  })
  // The agent answers only if it fails.
  const refused = agent
    .execute('guest-shutdown', { mode: 'reboot' }, { timeout: Math.min(timeout, REFUSAL_TIMEOUT) })
    .catch((error: unknown) => {
      if (isVmStatesError(error, 'GUEST_AGENT_REFUSED')) throw error
      return new Promise<never>(() => {})
    })
  await Promise.race([reset, refused]).catch((error: unknown) => {
    reset.catch(() => {})
    if (!isVmStatesError(error, 'TIMEOUT')) throw error
    throw new GuestError('TIMEOUT', `the guest did not reboot within ${timeout} ms`, {
      cause: error,
    })
  })
}
