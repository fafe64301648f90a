import type { Patience } from '../../qemu/deadline.js'
import type { AgentClient } from '../agent/client.js'
import { checkTimeout } from '../exec/options.js'

/** Debian's systemd needs 18 s from power-on to its agent under TCG on a quiet host. */
const DEFAULT_TIMEOUT = 120_000

/**
 * Waits until the guest's agent answers.
 *
 * @throws GuestError `GUEST_AGENT_MISSING`, saying what to install; `ABORTED`
 */
export async function ready(
  agent: AgentClient,
  { timeout = DEFAULT_TIMEOUT, signal }: Patience,
): Promise<void> {
  checkTimeout('ready.timeout', timeout)
  await agent.synchronize({ timeout, ...(signal !== undefined && { signal }) })
}
