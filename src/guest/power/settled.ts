import { setTimeout as delay } from 'node:timers/promises'
import { monotonic } from '../../params/clocks.js'
import { isVmStatesError } from '../../params/errors.js'
import type { Channel } from '../channel/channel.js'
import { isCommandError } from '../exec/command-error.js'
import { exec } from '../exec/exec.js'
import { GuestError } from '../guest-error.js'
import { AWAIT_CLOUD_INIT, requireCloudInit } from './cloud-init.js'
import { AWAIT_SETTLED, SHOW_UNSETTLED } from './init-systems.js'

/** Milliseconds to ask what has not settled. */
const ASK_TIMEOUT = 10_000

/** Milliseconds until an agent that was restarted is asked again. */
const PAUSE = 200

/** How much of what has not settled an error names itself. */
const NAMED = 3

const AWAIT_ALL = `(${AWAIT_SETTLED}) || exit $?${AWAIT_CLOUD_INIT}`

/**
 * Waits until the guest's init system has settled, cloud-init included, so that nothing of the boot is
 * still under way.
 * Where there is no shell to ask, or the agent runs no commands, nothing is waited for.
 *
 * @param timeout - milliseconds
 * @throws GuestError `GUEST_NOT_READY`, naming jobs that go on and units that failed, or what
 *   cloud-init could not do; `ABORTED`
 */
export async function awaitSettled(
  channel: Channel,
  { timeout, signal }: { timeout: number; signal: AbortSignal | undefined },
): Promise<void> {
  let why: string
  let isSilent = false
  try {
    const { exitCode, stdout } = await askWhetherSettled(channel, { timeout, signal })
    if (exitCode === 0 && stdout.includes('cloud-init')) {
      return await requireCloudInit(channel, signal)
    }
    if (exitCode !== 1) return
    why = stdout.toString()
  } catch (error) {
    if (isVmStatesError(error, 'GUEST_AGENT_REFUSED')) return
    if (!isVmStatesError(error, 'TIMEOUT')) throw error
    isSilent = isCommandError(error) && error.isGuestSilent
    why = isSilent ? 'it does not answer any more' : 'its init system has not settled in time'
  }
  const unsettled = isSilent ? [] : await showUnsettled(channel, signal)
  const named = unsettled.slice(0, NAMED).join(', ')
  const more = unsettled.length > NAMED ? `, and ${unsettled.length - NAMED} more` : ''
  throw new GuestError(
    'GUEST_NOT_READY',
    `the guest is not ready: ${why}${named && ` (${named}${more})`}`,
    {
      hint: [
        ...unsettled,
        'What a setup or a test needs can be said by the option "ready" of the machine.',
      ].join('\n  '),
    },
  )
}

/** An agent that is restarted, as the boot may have it, knows nothing of what it was asked: it is asked again. */
async function askWhetherSettled(
  channel: Channel,
  { timeout, signal }: { timeout: number; signal: AbortSignal | undefined },
) {
  const end = monotonic() + timeout
  for (;;) {
    const options = { timeout: Math.max(1, end - monotonic()), signal, reject: false }
    try {
      return await exec(channel, '/bin/sh', ['-c', AWAIT_ALL], options)
    } catch (error) {
      if (!isVmStatesError(error, 'GUEST_AGENT_SILENT') || monotonic() > end) throw error
      await delay(PAUSE)
    }
  }
}

/** An answer that cannot be had must not hide that the guest is not ready. */
async function showUnsettled(channel: Channel, signal: AbortSignal | undefined): Promise<string[]> {
  const options = { timeout: ASK_TIMEOUT, signal, reject: false }
  const asked = exec(channel, '/bin/sh', ['-c', SHOW_UNSETTLED], options)
  const { stdout } = await asked.catch(() => ({ stdout: '' }))
  return stdout.toString().split('\n').filter(Boolean)
}
