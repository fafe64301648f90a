import { randomBytes } from 'node:crypto'
import { VmStatesError } from '../../params/errors.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { runProgram } from '../channel/channel.js'
import { type GuestLink, openChannel } from '../channel/open-channel.js'
import { GuestError } from '../guest-error.js'

/**
 * Its argument is the machine id. An sshd that is told to hang up starts itself anew, reads its keys, and says
 * in a file that it listens: until then it shows the old ones.
 */
const SCRIPT = `
for file in /etc/machine-id /var/lib/dbus/machine-id; do
  if [ -f "$file" ] && [ ! -L "$file" ]; then echo "$1" >"$file"; fi
done
keys=
for key in /etc/ssh/ssh_host_*_key; do
  [ -e "$key" ] || continue
  type=\${key#/etc/ssh/ssh_host_}
  rm -f "$key" "$key.pub"
  ssh-keygen -q -N '' -t "\${type%_key}" -f "$key"
  keys=1
done
if [ -n "$keys" ] && [ -s /run/sshd.pid ]; then
  pid=$(cat /run/sshd.pid)
  rm /run/sshd.pid
  kill -HUP "$pid"
  tries=0
  while [ ! -s /run/sshd.pid ] && [ $tries -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
fi
`

/**
 * Gives a running guest a machine id and host keys of ssh that no other clone has. The addresses of its
 * network card stay: each machine has a user-mode network to itself.
 *
 * @param link - the way to the guest, if not through the agent
 * @throws VmStatesError `IDENTITY_NOT_FRESH`, with what the guest said
 */
export async function refreshIdentity(
  process: MachineProcess,
  link: GuestLink | undefined,
): Promise<void> {
  const channel = openChannel(process, link)
  const arg = ['-ec', SCRIPT, 'sh', randomBytes(16).toString('hex')]
  try {
    const { exitCode, stderr } = await runProgram(channel, { path: '/bin/sh', arg })
    if (exitCode === 0) return link?.forgetHostKey()
    const hint = stderr.toString().trim()
    const text = `${process.options.name} could not be given an identity of its own`
    throw new VmStatesError('IDENTITY_NOT_FRESH', text, { hint })
  } finally {
    channel.close(() => new GuestError('GUEST_RELEASED', 'the guest has its identity'))
  }
}
