import { monotonic } from '../../params/clocks.js'
import type { Patience } from '../../qemu/deadline.js'
import type { Channel } from '../channel/channel.js'
import { checkTimeout } from '../exec/options.js'
import { awaitSettled } from './settled.js'

/** Debian's systemd needs 18 s from power-on to its agent under TCG on a quiet host. */
const DEFAULT_TIMEOUT = 120_000

/**
 * Waits until the guest answers and its init system has settled.
 *
 * @throws GuestError `GUEST_AGENT_MISSING` or `GUEST_SSH_MISSING`, saying what to install; `GUEST_NOT_READY`, naming what has
 *   not settled; `ABORTED`
 */
export async function ready(
  channel: Channel,
  { timeout = DEFAULT_TIMEOUT, signal }: Patience,
): Promise<void> {
  checkTimeout('ready.timeout', timeout)
  const startedAt = monotonic()
  await channel.connect({ timeout, ...(signal !== undefined && { signal }) })
  const left = timeout - (monotonic() - startedAt)
  await awaitSettled(channel, { timeout: Math.max(1, Math.round(left)), signal })
}
