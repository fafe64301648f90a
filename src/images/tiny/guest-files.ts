import type { Architecture } from '../../params/architecture.js'
import { PLATFORMS } from './platform.js'

/** What the guest prints on its console as soon as its kernel runs, with or without a disk. */
export const KERNEL_MARKER = 'vm-states tiny kernel ready'

/** What the guest prints on its console when its root filesystem is up and its agent was started. */
export const READY_MARKER = 'vm-states tiny guest ready'

/** Modules that the guest needs until its root filesystem and its agent are up. */
export const EARLY_MODULES = ['virtio_pci', 'virtio_blk', 'virtio_console', 'ext4']

/** Modules that are loaded after that, as far as the kernel has them: the guest runs without. */
export function lateModules(arch: Architecture): string[] {
  return ['virtio_net', 'evdev', 'virtio_rng', ...PLATFORMS[arch].modules]
}

/** Modules that are only loaded where the machine has a SCSI controller. */
export const SCSI_MODULES = ['virtio_scsi', 'sd_mod', 'sr_mod', 'isofs']

/** Modules that are only loaded where UEFI firmware has started the kernel. */
export const UEFI_MODULES = ['efivarfs']

/** Filesystems that disks of others may have, loaded when one is mounted: `btrfs` takes seconds to. */
export const FILESYSTEM_MODULES = ['xfs', 'btrfs']

/** The first program of the initramfs: from the bare kernel to the root filesystem. */
export const INITRAMFS_INIT = `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
echo '${KERNEL_MARKER}' >/dev/console
/bin/busybox modprobe -a ${EARLY_MODULES.join(' ')} 2>/dev/null
tries=0
until [ -b /dev/vda ]; do
  tries=$((tries + 1))
  if [ $tries -gt 20 ]; then
    echo 'vm-states tiny guest has no disk' >/dev/console
    exec /bin/busybox poweroff -f
  fi
  /bin/busybox sleep 0.1
done
/bin/busybox mount -t ext4 -o noatime /dev/vda /root
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
`

const inittab = (arch: Architecture): string => `::sysinit:/etc/rc
::respawn:/sbin/agent
::once:/etc/rc.late
${PLATFORMS[arch].console}::respawn:-/bin/sh
::ctrlaltdel:/sbin/reboot
::shutdown:/etc/rc.shutdown
`

const RC = `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
variables=/sys/firmware/efi/efivars
if [ -d $variables ]; then
  modprobe -a ${UEFI_MODULES.join(' ')} 2>/dev/null
  mount -t efivarfs efivarfs $variables
fi
`

/** Finds the agent's port by its name, which udev would have made a link for. */
const AGENT = `#!/bin/sh
tries=0
while [ $tries -lt 100 ]; do
  for port in /sys/class/virtio-ports/*; do
    name=
    [ -r "$port/name" ] && read -r name <"$port/name"
    if [ "$name" = org.qemu.guest_agent.0 ]; then
      exec qemu-ga -m virtio-serial -p "/dev/\${port##*/}" -t /run
    fi
  done
  tries=$((tries + 1))
  sleep 0.1
done
exec sleep 2147483647
`

const rcLate = (arch: Architecture): string => `#!/bin/sh
mkdir -p /dev/pts /dev/shm /dev/virtio-ports
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
for port in /sys/class/virtio-ports/*; do
  name=
  [ -r "$port/name" ] && read -r name <"$port/name"
  [ -n "$name" ] && ln -sf "../\${port##*/}" "/dev/virtio-ports/$name"
done
echo '${READY_MARKER}' >/dev/console
hostname -F /etc/hostname
ip link set lo up
modprobe -a ${lateModules(arch).join(' ')} 2>/dev/null
for device in /sys/bus/virtio/devices/*/device; do
  read -r id <"$device"
  [ "$id" = 0x0008 ] && modprobe -a ${SCSI_MODULES.join(' ')} 2>/dev/null
done
if [ -e /sys/class/net/eth0 ]; then
  # Nobody else is there: IPv6 is up with the guest, and not a few seconds later.
  echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad
  echo 0 >/proc/sys/net/ipv6/conf/eth0/router_solicitation_delay
  ip link set eth0 up
  ip addr add 10.0.2.15/24 broadcast + dev eth0
  ip route add default via 10.0.2.2
fi
# For whom somebody has let in; it makes its host key when it is first needed.
if [ -s /root/.ssh/authorized_keys ] && [ -x /usr/sbin/dropbear ]; then
  mkdir -p /etc/dropbear
  dropbear -R -s -P /run/dropbear.pid
fi
exec acpid -f -l /dev/null
`

/**
 * Ends every process, leaves the root filesystem clean, and switches the machine off: in 0.2 s,
 * where busybox's init sleeps for 2 s. Without a file that says what is wanted (the shell's own
 * poweroff and reboot go past our programs) init ends the machine itself.
 */
const RC_SHUTDOWN = `#!/bin/sh
action=
[ -r /run/shutdown ] && read -r action </run/shutdown
others() {
  found=1
  for directory in /proc/[0-9]*; do
    pid=\${directory##*/}
    [ "$pid" -eq 1 ] || [ "$pid" -eq $$ ] && continue
    command=
    read -r command 2>/dev/null <"$directory/cmdline"
    # A login shell does not listen to TERM.
    case $command in -*) kill -HUP "$pid" ;; esac
    [ -n "$command" ] && found=0
  done
  return $found
}
kill -TERM -1
tries=0
while others && [ $tries -lt 20 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
kill -KILL -1
while read -r device directory _; do
  case "$device $directory" in
    *' /') ;;
    /dev/*) umount "$directory" ;;
  esac
done </proc/mounts
mount -o remount,ro / || echo 'vm-states tiny guest could not unmount its disk' >/dev/console
[ -z "$action" ] || busybox "$action" -f
`

const shutdownProgram = (action: string): string => `#!/bin/sh
case " $* " in *" -f "*) exec busybox ${action} "$@" ;; esac
echo ${action} >/run/shutdown
exec busybox ${action}
`

/**
 * What the agent's guest-shutdown calls: -P, -H or -r say what is to happen. It may still run when
 * init ends every process; a shutdown that a signal has ended is a refused one to the agent.
 */
const SHUTDOWN = `#!/bin/sh
trap '' TERM
for argument; do
  case $argument in
    -P) action=poweroff ;;
    -H) action=halt ;;
    -r) action=reboot ;;
  esac
done
exec /sbin/\${action:-poweroff}
`

const UDHCPC = `#!/bin/sh
case $1 in
  deconfig) ip addr flush dev "$interface" ;;
  bound | renew)
    ip addr flush dev "$interface"
    ip addr add "$ip/$mask" dev "$interface"
    for gateway in $router; do ip route replace default via "$gateway"; done
    : >/etc/resolv.conf
    for server in $dns; do echo "nameserver $server" >>/etc/resolv.conf; done
    ;;
esac
`

/** A text file of the guest. */
export interface GuestFile {
  path: string
  text: string
  executable?: boolean
}

const program = (path: string, text: string): GuestFile => ({ path, text, executable: true })

/** Files of the guest's root filesystem that no package brings. */
export const guestFiles = (arch: Architecture): readonly GuestFile[] => [
  { path: 'etc/inittab', text: inittab(arch) },
  { path: 'etc/hostname', text: 'tiny\n' },
  { path: 'etc/hosts', text: '127.0.0.1 localhost\n127.0.1.1 tiny\n' },
  { path: 'etc/resolv.conf', text: 'nameserver 10.0.2.3\n' },
  {
    path: 'etc/passwd',
    text: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
  },
  { path: 'etc/nsswitch.conf', text: 'passwd: files\ngroup: files\nhosts: files dns\n' },
  { path: 'etc/group', text: 'root:x:0:\nnogroup:x:65534:\n' },
  { path: 'etc/profile', text: 'export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root\ncd\n' },
  { path: 'etc/acpi/PWRF/00000080', text: '#!/bin/sh\nexec /sbin/poweroff\n', executable: true },
  program('etc/rc', RC),
  program('etc/rc.late', rcLate(arch)),
  program('etc/rc.shutdown', RC_SHUTDOWN),
  program('sbin/agent', AGENT),
  program('sbin/shutdown', SHUTDOWN),
  program('sbin/poweroff', shutdownProgram('poweroff')),
  program('sbin/reboot', shutdownProgram('reboot')),
  program('sbin/halt', shutdownProgram('halt')),
  program('usr/share/udhcpc/default.script', UDHCPC),
]
