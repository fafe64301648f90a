import { AgentChannel } from '../agent/agent-channel.js'
import type { GuestProcess } from '../guest-process.js'
import { SshChannel } from '../ssh/ssh-channel.js'
import type { SshLink } from '../ssh/ssh-link.js'
import type { Channel } from './channel.js'

/**
 * A channel to a guest: over ssh where there is a way to it, else through its agent. It is the caller's to close.
 *
 * @param process - a machine whose agent nobody else talks to
 */
export function openChannel(process: GuestProcess, ssh: SshLink | undefined): Channel {
  return ssh === undefined ? new AgentChannel(process) : new SshChannel(ssh)
}
