import { VmStatesError } from '../../params/errors.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import type { End } from './end.js'

const SSH_PORT = 22

/** Whom to log in as, and how. */
export interface SshLogin {
  user: string
  /** The path of a private key; by default, what the user's own configuration and agent say. */
  identity: string | undefined
}

/**
 * Leads a port of the host to the guest's sshd.
 *
 * @returns the command that logs in. The guest's host key is not looked at: the way to it is this host's
 *   loopback, and each machine has another one
 * @throws VmStatesError `PORT_FORWARD_FAILED`
 */
export async function sshCommand(
  process: MachineProcess,
  { user, identity }: SshLogin,
): Promise<string[]> {
  const { hostPort } = await process.forwardPort(SSH_PORT)
  return [
    ...['ssh', '-p', String(hostPort)],
    ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
    ...['-o', 'LogLevel=ERROR'],
    ...(identity === undefined ? [] : ['-i', identity, '-o', 'IdentitiesOnly=yes']),
    `${user}@127.0.0.1`,
  ]
}

/**
 * Gives this process's terminal to ssh, until it ends.
 *
 * @param ends - what else ends it
 * @throws VmStatesError `TOOL_MISSING`
 */
export async function sshSession(
  [ssh = '', ...args]: readonly string[],
  ends: Promise<End>,
): Promise<End> {
  const { execa } = await import('execa')
  const session = execa(ssh, args, { stdio: 'inherit', reject: false })
  const left = session.then((result): End => {
    if (result.code !== 'ENOENT') return 'left'
    throw new VmStatesError('TOOL_MISSING', 'ssh is not installed on this host', {
      hint: 'Install the package openssh-client.',
    })
  })
  try {
    return await Promise.race([left, ends])
  } finally {
    session.kill()
  }
}
