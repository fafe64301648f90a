import type { Channel } from '../channel/channel.js'
import { exec } from '../exec/exec.js'

/**
 * Prints how many filesystems of disks were frozen (`$1` is `freeze`) or thawed (`unfreeze`). Later mounts are
 * frozen first: they may lie in earlier ones. A filesystem that is thawed already is none, and neither is one that
 * cannot be frozen, as with the agent. Where one fails, all are thawed.
 */
const FREEZE = `
PATH=$PATH:/usr/sbin:/sbin
mounts=
devices=
while read -r device directory _; do
  case $device in /dev/*) ;; *) continue ;; esac
  case " $devices " in *" $device "*) continue ;; esac
  devices="$devices $device"
  if [ "$1" = freeze ]; then mounts="$directory $mounts"; else mounts="$mounts $directory"; fi
done </proc/mounts
count=0
frozen=
for mount in $mounts; do
  if said=$(LC_ALL=C fsfreeze "--$1" "$(printf %b "$mount")" 2>&1); then
    count=$((count + 1))
    frozen="$mount $frozen"
    continue
  fi
  [ "$1" = freeze ] || continue
  case $said in *'ot supported'* | *busy*) continue ;; esac
  for mount in $frozen; do fsfreeze --unfreeze "$(printf %b "$mount")"; done
  echo "$said" >&2
  exit 1
done
echo $count
`

/**
 * Freezes or thaws the guest's filesystems.
 *
 * @returns how many
 * @throws GuestError `GUEST_AGENT_REFUSED`; CommandError `GUEST_COMMAND_FAILED`
 */
export async function freeze(channel: Channel, what: 'freeze' | 'thaw'): Promise<number> {
  if (channel.agent !== undefined) return await channel.agent.execute(`guest-fsfreeze-${what}`, {})
  const args = ['-c', FREEZE, 'sh', what === 'freeze' ? 'freeze' : 'unfreeze']
  const { stdout } = await exec(channel, '/bin/sh', args, {}, { script: `${what} filesystems` })
  return Number(stdout)
}
