import { randomBytes } from 'node:crypto'
import { VmStatesError } from '../../params/errors.js'
import { MAC } from '../../qemu/machine/command-line.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { AgentClient } from '../agent/client.js'
import { runProgram } from '../exec/run.js'
import { GuestError } from '../guest-error.js'

/**
 * Arguments: the machine id, the network card's old address and its new one. `arp_notify` has the kernel
 * tell the network of the new address. An sshd that is told to hang up starts itself anew, and reads its
 * keys.
 */
const SCRIPT = `
for file in /etc/machine-id /var/lib/dbus/machine-id; do
  if [ -f "$file" ] && [ ! -L "$file" ]; then echo "$1" >"$file"; fi
done
for card in /sys/class/net/*; do
  read -r address <"$card/address" || continue
  [ "$address" = "$2" ] || continue
  name=\${card##*/}
  notify=/proc/sys/net/ipv4/conf/$name/arp_notify
  before=$(cat "$notify")
  echo 1 >"$notify"
  ip link set dev "$name" address "$3"
  echo "$before" >"$notify"
done
keys=
for key in /etc/ssh/ssh_host_*_key; do
  [ -e "$key" ] || continue
  type=\${key#/etc/ssh/ssh_host_}
  rm -f "$key" "$key.pub"
  ssh-keygen -q -N '' -t "\${type%_key}" -f "$key"
  keys=1
done
if [ -n "$keys" ] && [ -s /run/sshd.pid ]; then kill -HUP "$(cat /run/sshd.pid)"; fi
`

/**
 * Gives a running guest a machine id, host keys of ssh and an address of its network card that no other
 * clone has. Its IP address stays: each machine has a user-mode network to itself.
 *
 * @throws VmStatesError `IDENTITY_NOT_FRESH`, with what the guest said
 */
export async function refreshIdentity({ agent: channel, options }: MachineProcess): Promise<void> {
  const agent = new AgentClient(channel)
  const arg = ['-ec', SCRIPT, 'sh', randomBytes(16).toString('hex'), MAC, randomAddress()]
  try {
    const ended = await runProgram(agent, { path: '/bin/sh', arg })
    if (ended.exitcode === 0) return
    const hint = Buffer.from(ended['err-data'] ?? '', 'base64')
      .toString()
      .trim()
    const text = `${options.name} could not be given an identity of its own`
    throw new VmStatesError('IDENTITY_NOT_FRESH', text, { hint })
  } finally {
    agent.close(() => new GuestError('GUEST_RELEASED', 'the guest has its identity'))
  }
}

/** With the prefix of QEMU's cards. */
function randomAddress(): string {
  return ['52', '54', '00', ...(randomBytes(3).toString('hex').match(/../g) ?? [])].join(':')
}
