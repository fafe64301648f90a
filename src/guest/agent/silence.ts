import { GuestError } from '../guest-error.js'

/** The error of a guest whose agent has never answered, after `timeout` milliseconds. */
export function missingAgentError(timeout: number): GuestError {
  return new GuestError('GUEST_AGENT_MISSING', `no guest agent answered within ${timeout} ms`, {
    hint: 'install it in the guest and have it started at boot: apt-get install qemu-guest-agent (Debian, Ubuntu), dnf install qemu-guest-agent (Fedora, RHEL), apk add qemu-guest-agent (Alpine)',
  })
}

/** The error of a command that a guest agent has forgotten, because it was restarted in between. */
export function restartedAgentError(command: string): GuestError {
  return new GuestError(
    'GUEST_AGENT_SILENT',
    `the guest agent was restarted and knows nothing of ${command}`,
    {
      hint: 'what restarts the agent has to outlive it: start it with setsid, and do not wait for it',
    },
  )
}
