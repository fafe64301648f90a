import { VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'
import type { Channel } from '../channel/channel.js'
import { exec } from '../exec/exec.js'

/** Busybox knows whole seconds alone. The hardware clock follows, as the agent has it do. */
const SET_CLOCK = `
date -u -s "@$1" >/dev/null 2>&1 || date -u -s "@\${1%.*}" >/dev/null
PATH=$PATH:/usr/sbin:/sbin hwclock -u -w 2>/dev/null || true
`

/**
 * Sets the guest's clock.
 *
 * @throws VmStatesError `INVALID_VALUE`; GuestError `GUEST_AGENT_REFUSED`; CommandError
 */
export async function setTime(channel: Channel, time: Date): Promise<void> {
  if (!(time instanceof Date) || Number.isNaN(time.getTime())) {
    const right = 'it must be a date'
    throw new VmStatesError('INVALID_VALUE', `setTime.time is ${showValue(time)}: ${right}`)
  }
  if (channel.agent !== undefined) {
    await channel.agent.execute('guest-set-time', { time: time.getTime() * 1e6 })
    return
  }
  const seconds = (time.getTime() / 1000).toFixed(3)
  await exec(channel, '/bin/sh', ['-ec', SET_CLOCK, 'sh', seconds], {}, { script: 'set the clock' })
}
