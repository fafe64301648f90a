import { isVmStatesError } from '../../params/errors.js'
import type { Patience } from '../../qemu/deadline.js'
import type { Channel } from '../channel/channel.js'
import { checkTimeout } from '../exec/options.js'
import { GuestError } from '../guest-error.js'
import type { GuestProcess } from '../guest-process.js'
import { requestPower } from '../system/request-power.js'

const DEFAULT_TIMEOUT = 90_000
const ANSWER_TIMEOUT = 30_000

/**
 * Asks the guest to power itself off, and waits until it has. A guest that does not is left running.
 *
 * @throws VmStatesError `GUEST_NOT_SHUT_DOWN` with the console's tail if it did not in time, or ended
 *   in another way; `GUEST_AGENT_MISSING`, `GUEST_SSH_MISSING`, `GUEST_AGENT_REFUSED`, `ABORTED`
 */
export async function shutdown(
  channel: Channel,
  process: GuestProcess,
  { timeout = DEFAULT_TIMEOUT, signal }: Patience,
): Promise<void> {
  checkTimeout('shutdown.timeout', timeout)
  await channel.connect({
    timeout: Math.min(timeout, ANSWER_TIMEOUT),
    ...(signal !== undefined && { signal }),
  })
  const refused = requestPower(channel, 'powerdown', timeout)
  const ended = process.waitForShutdown({ timeout, signal }).catch((error: unknown) => {
    if (!isVmStatesError(error, 'GUEST_NOT_SHUT_DOWN')) throw error
    // Its hint is the console's tail, which every error of a Vm gets.
    const [message = ''] = error.message.split('\n')
    throw new GuestError(error.code, message, { cause: error })
  })
  await Promise.race([ended, refused])
}
