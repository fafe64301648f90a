import { AgentChannel } from '../agent/agent-channel.js'
import { ConsoleChannel } from '../console/channel/console-channel.js'
import { ConsoleLink } from '../console/channel/console-link.js'
import type { GuestProcess } from '../guest-process.js'
import { SshChannel } from '../ssh/ssh-channel.js'
import type { SshLink } from '../ssh/ssh-link.js'
import type { Channel } from './channel.js'

/** The way to a guest, from a restore to the next, where that is not its agent. */
export type GuestLink = SshLink | ConsoleLink

/**
 * A channel to a guest: by its link where it has one, else through its agent. It is the caller's to close.
 *
 * @param process - a machine whose agent nobody else talks to
 */
export function openChannel(process: GuestProcess, link: GuestLink | undefined): Channel {
  if (link === undefined) return new AgentChannel(process)
  return link instanceof ConsoleLink ? new ConsoleChannel(link) : new SshChannel(link)
}

/** Milliseconds of silence until nobody is taken to be there. */
export function silenceOf(link: GuestLink | undefined): number {
  return link === undefined ? 5000 : 30_000
}
