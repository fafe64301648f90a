import { isVmStatesError } from '../../params/errors.js'
import type { Patience } from '../../qemu/deadline.js'
import { checkTimeout } from '../exec/options.js'
import type { AttachedGuest } from '../guest-access.js'
import { GuestError } from '../guest-error.js'
import { requestPower } from './request-power.js'

/**
 * Has the guest shut down and boot again; returns when it has reset the machine.
 *
 * @param timeout - milliseconds
 * @throws GuestError `TIMEOUT`, `ABORTED`, `GUEST_AGENT_MISSING`, `GUEST_SSH_MISSING`,
 *   `GUEST_AGENT_REFUSED`, `GUEST_GONE`
 */
export async function reboot(
  { channel, process }: AttachedGuest,
  { timeout, signal }: Patience & { timeout: number },
): Promise<void> {
  checkTimeout('reboot.timeout', timeout)
  await channel.connect({ timeout, ...(signal !== undefined && { signal }) })
  const reset = process.qmp.waitForEvent('RESET', {
    match: ({ data }) => data.guest === true,
    timeout,
    signal,
  })
  const refused = requestPower(channel, 'reboot', timeout)
  await Promise.race([reset, refused]).catch((error: unknown) => {
    reset.catch(() => {})
    if (!isVmStatesError(error, 'TIMEOUT')) throw error
    throw new GuestError('TIMEOUT', `the guest did not reboot within ${timeout} ms`, {
      cause: error,
    })
  })
}
