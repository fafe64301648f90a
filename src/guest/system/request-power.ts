import { isVmStatesError } from '../../params/errors.js'
import type { Channel } from '../channel/channel.js'
import { exec } from '../exec/exec.js'

/** The agent answers as soon as the guest's `shutdown` command has failed. */
const REFUSAL_TIMEOUT = 10_000

/** `$1` is an option of shutdown(8), which busybox has not got, and `$2` the program for the same. */
const REQUEST = `
PATH=$PATH:/usr/sbin:/sbin
if command -v shutdown >/dev/null; then exec shutdown "$1" now; fi
exec "$2"
`

/**
 * Asks the guest to power itself off or to reboot. That it does is for others to see: this rejects where
 * the guest refuses, and never settles otherwise.
 *
 * @param timeout - milliseconds in which the guest is listened to
 * @throws GuestError `GUEST_AGENT_REFUSED`; CommandError `GUEST_COMMAND_FAILED`
 */
export function requestPower(
  channel: Channel,
  mode: 'powerdown' | 'reboot',
  timeout: number,
): Promise<never> {
  const patience = { timeout: Math.min(timeout, REFUSAL_TIMEOUT) }
  const request =
    channel.agent?.execute('guest-shutdown', { mode }, patience) ?? byShell(channel, mode)
  return request.then(
    () => new Promise<never>(() => {}),
    (error: unknown) => {
      if (isRefusal(error)) throw error
      // Success is that the guest goes away, and what it might have said with it.
      return new Promise<never>(() => {})
    },
  )
}

async function byShell(channel: Channel, mode: 'powerdown' | 'reboot'): Promise<void> {
  const [option, program] = mode === 'powerdown' ? ['-P', 'poweroff'] : ['-r', 'reboot']
  await exec(channel, '/bin/sh', ['-c', REQUEST, 'sh', option, program], {}, { script: program })
}

function isRefusal(error: unknown): boolean {
  if (isVmStatesError(error, 'GUEST_AGENT_REFUSED')) return true
  const isFailure = isVmStatesError(error, 'GUEST_COMMAND_FAILED')
  return isFailure && 'exitCode' in error && error.exitCode !== undefined
}
