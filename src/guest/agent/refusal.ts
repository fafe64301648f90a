import { GuestError } from '../guest-error.js'

/** The guest agent answered a command with an error. */
export class AgentRefusal extends GuestError {
  /** The agent's own words. */
  readonly description: string

  constructor(command: string, description: string) {
    super('GUEST_AGENT_REFUSED', `the guest agent refused ${command}: ${description}`, {
      hint: /disabled|not been found/.test(description)
        ? `allow ${command} in the guest agent's configuration (on Fedora and RHEL: FILTER_RPC_ARGS or BLACKLIST_RPC in /etc/sysconfig/qemu-ga)`
        : undefined,
    })
    this.description = description
  }
}
