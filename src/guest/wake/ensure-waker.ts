import { isVmStatesError } from '../../params/errors.js'
import { withDeadline } from '../../qemu/deadline.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { runProgram } from '../channel/channel.js'
import { type GuestLink, openChannel, silenceOf } from '../channel/open-channel.js'
import { GuestError } from '../guest-error.js'
import { hasWaker } from './has-waker.js'
import { WakerLink } from './waker-link.js'
import { WAKER_PROGRAMS } from './waker-programs.js'

/** Milliseconds that a waker gets to answer. */
const ANSWER_TIMEOUT = 5000

/**
 * Sees to it that a waker runs in a guest that is about to be kept: what was started before is loaded
 * and warm in every clone, and needs neither the agent nor a new process to set the clock.
 *
 * @param process - a running machine whose agent nobody talks to meanwhile
 * @returns why there is none, for people; undefined if there is one
 * @param link - the way to its guest, if not through the agent
 * @throws GuestError `GUEST_AGENT_MISSING`, `GUEST_SSH_MISSING`, `GUEST_SSH_REFUSED`, `SSH_HOST_KEY_CHANGED`
 */
export async function ensureWaker(
  process: MachineProcess,
  link: GuestLink | undefined,
): Promise<string | undefined> {
  if ((await hasWaker(process)) && (await answers(process))) return undefined
  const channel = openChannel(process, link)
  try {
    await channel.connect({ timeout: silenceOf(link) })
    for (const program of WAKER_PROGRAMS) {
      const ended = await runProgram(channel, program).catch((error: unknown) => {
        if (isVmStatesError(error, 'GUEST_AGENT_REFUSED')) return undefined
        throw error
      })
      if (ended?.exitCode === 0 && (await answers(process))) return undefined
    }
    return 'neither Perl nor Python could be started there by root'
  } finally {
    channel.close(() => new GuestError('GUEST_RELEASED', 'the waker was started'))
  }
}

async function answers({ wake }: MachineProcess): Promise<boolean> {
  using link = new WakerLink(wake)
  const report = withDeadline(link.order({}), 'the waker', { timeout: ANSWER_TIMEOUT })
  return await report.then(
    () => true,
    () => false,
  )
}
