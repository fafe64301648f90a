import { GuestError } from '../guest-error.js'

/** The guest agent answered a command with an error. */
export class AgentRefusal extends GuestError {
  /** The agent's own words. */
  readonly description: string

  constructor(command: string, description: string) {
    super('GUEST_AGENT_REFUSED', `the guest agent refused ${command}: ${description}`, {
      hint: hintFor(command, description),
    })
    this.description = description
  }
}

function hintFor(command: string, text: string): string | undefined {
  // Without the paths that it may name.
  const description = text.replace(/'[^']*'/g, '')
  if (/frozen/.test(description)) return "the guest's filesystems are frozen: call vm.thaw() first"
  if (!/disabled|not been found/.test(description)) return undefined
  return `allow ${command} in the guest agent's configuration (on Fedora and RHEL: FILTER_RPC_ARGS or BLACKLIST_RPC in /etc/sysconfig/qemu-ga)`
}
