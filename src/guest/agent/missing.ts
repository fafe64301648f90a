import { GuestError } from '../guest-error.js'

/** The error of a guest whose agent has never answered, after `timeout` milliseconds. */
export function missingAgentError(timeout: number): GuestError {
  return new GuestError('GUEST_AGENT_MISSING', `no guest agent answered within ${timeout} ms`, {
    hint: 'install it in the guest and have it started at boot: apt-get install qemu-guest-agent (Debian, Ubuntu), dnf install qemu-guest-agent (Fedora, RHEL), apk add qemu-guest-agent (Alpine)',
  })
}
