import { VmStatesError } from '../../params/errors.js'
import type { ParsedMachineOptions } from '../../params/machine.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { layoutOf } from '../../store/layout.js'
import type { End } from './end.js'

const SSH_PORT = 22

/** What was said of whom to log in as, and how. */
export interface SshLogin {
  user: string | undefined
  /** The path of a private key. */
  identity: string | undefined
}

/**
 * Completes what was said by what the machine is reached by: one that is talked to over ssh lets in its `sshUser`, by
 * the key of the store. For another user, or machine, it is root, and what the caller's own configuration and agent say.
 */
export function completeLogin(
  { user, identity }: SshLogin,
  { guest, sshUser }: Pick<ParsedMachineOptions, 'guest' | 'sshUser'>,
  store: string,
): SshLogin {
  if (guest !== 'ssh') return { user: user ?? 'root', identity }
  const isKnown = user === undefined || user === sshUser
  return {
    user: user ?? sshUser,
    identity: identity ?? (isKnown ? layoutOf(store).sshKey : undefined),
  }
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
