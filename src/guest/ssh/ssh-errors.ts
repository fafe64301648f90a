import { GuestError } from '../guest-error.js'

/**
 * The error of a guest whose sshd has never answered.
 *
 * @param timeout - milliseconds that were waited
 * @param last - what became of the last attempt
 */
export function missingSshError(timeout: number, last: string | undefined): GuestError {
  const reason = last === undefined ? '' : ` (${last})`
  const text = `no sshd of the guest answered within ${timeout} ms${reason}`
  return new GuestError('GUEST_SSH_MISSING', text, {
    hint: 'the guest needs an address by DHCP, and sshd that is started at boot: apt-get install openssh-server (Debian, Ubuntu), dnf install openssh-server (Fedora, RHEL), apk add openssh (Alpine)',
  })
}

/** The error of a guest that knows the user or the key not. */
export function refusedLoginError(user: string): GuestError {
  const text = `sshd of the guest did not let ${user} in with the key of the store`
  return new GuestError('GUEST_SSH_REFUSED', text, {
    hint: `Put the publicKey of storeSshKey() into the guest's authorized_keys of ${user}, or name another user as the machine's sshUser. sshd has to let that user in by a key.`,
  })
}

/** The error of an sshd that lets nobody run anything. */
export function refusedSessionError(why: string): GuestError {
  return new GuestError('GUEST_SSH_REFUSED', `sshd of the guest runs no command: ${why}`)
}

/** The error of a command that was under way when its connection ended. */
export function lostConnectionError(why: string): GuestError {
  const text = `the ssh connection to the guest was lost while a command ran: ${why}`
  return new GuestError('GUEST_SSH_LOST', text, {
    hint: 'The guest may have shut down, crashed, or lost its network: see its console. Whether the command has ended is not known.',
  })
}

/** The error of a guest that is not the one that was met before. */
export function changedHostKeyError(known: string, met: string): GuestError {
  const text = `the host key of the guest's sshd is ${met}, and was ${known} when its state was built`
  return new GuestError('SSH_HOST_KEY_CHANGED', text, {
    hint: 'Something in the guest has made new host keys. If it is a setup, have it done before the first boot (firstBoot, cloudInit) instead.',
  })
}
