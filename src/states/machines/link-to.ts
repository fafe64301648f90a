import type { GuestLink } from '../../guest/channel/open-channel.js'
import { ConsoleLink } from '../../guest/console/channel/console-link.js'
import { SshLink } from '../../guest/ssh/ssh-link.js'
import type { ParsedMachineOptions } from '../../params/machine.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import type { Context } from '../graph/context.js'

interface LinkOptions {
  /** Of the machine. */
  options: ParsedMachineOptions
  context: Context
  /** The fingerprint of the guest's host key, if it was met before. */
  hostKey: string | undefined
}

/**
 * The way to the guest of a machine, if that is not the agent. Nothing is sent before it is used.
 *
 * @throws VmStatesError whatever {@link Context.sshKey} throws
 */
export async function linkTo(
  process: MachineProcess,
  { options, context, hostKey }: LinkOptions,
): Promise<GuestLink | undefined> {
  const { guest, sshUser, consoleUser, consolePassword } = options
  if (guest === 'agent') return undefined
  if (guest === 'console') {
    return new ConsoleLink(process, { user: consoleUser, password: consolePassword })
  }
  const { privateKey } = await context.sshKey()
  return new SshLink(process, { user: sshUser, privateKey, hostKey })
}
