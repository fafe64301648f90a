import { isVmStatesError } from '../../params/errors.js'
import type { Patience } from '../../qemu/deadline.js'
import type { AgentClient } from '../agent/client.js'
import { checkTimeout } from '../exec/options.js'
import { GuestError } from '../guest-error.js'
import type { GuestProcess } from '../guest-process.js'

const DEFAULT_TIMEOUT = 90_000
const AGENT_TIMEOUT = 30_000
/** The agent answers as soon as the guest's `shutdown` command has failed. */
const REFUSAL_TIMEOUT = 10_000

/**
 * Asks the guest to power itself off, and waits until it has. A guest that does not is left running.
 *
 * @throws VmStatesError `GUEST_NOT_SHUT_DOWN` with the console's tail if it did not in time, or ended
 *   in another way; `GUEST_AGENT_MISSING`, `GUEST_AGENT_REFUSED`, `ABORTED`
 */
export async function shutdown(
  agent: AgentClient,
  process: GuestProcess,
  { timeout = DEFAULT_TIMEOUT, signal }: Patience,
): Promise<void> {
  checkTimeout('shutdown.timeout', timeout)
  await agent.synchronize({
    timeout: Math.min(timeout, AGENT_TIMEOUT),
    ...(signal !== undefined && { signal }),
  })
  // The agent answers only if it fails: success is that the machine goes away.
  const refused = agent
    .execute(
      'guest-shutdown',
      { mode: 'powerdown' },
      { timeout: Math.min(timeout, REFUSAL_TIMEOUT) },
    )
    .catch((error: unknown) => {
      if (isVmStatesError(error, 'GUEST_AGENT_REFUSED')) throw error
      return new Promise<never>(() => {})
    })
  const ended = process.waitForShutdown({ timeout, signal }).catch((error: unknown) => {
    if (!isVmStatesError(error, 'GUEST_NOT_SHUT_DOWN')) throw error
    // Its hint is the console's tail, which every error of a Vm gets.
    const [message = ''] = error.message.split('\n')
    throw new GuestError(error.code, message, { cause: error })
  })
  await Promise.race([ended, refused])
}
