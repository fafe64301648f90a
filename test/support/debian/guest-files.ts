import { kernelParameters } from '../../../src/images/tiny/platform.js'

/** Drivers that would be loaded for what QEMU shows, and are not needed. */
const UNUSED_MODULES = [
  'i2c_i801',
  'iTCO_wdt',
  'kvm_amd',
  'kvm_intel',
  'lpc_ich',
  'pcspkr',
  'powernow_k8',
  'psmouse',
  'serio_raw',
]

/** Files that are there before packages are configured, so that these find them; path to text. Scripts
 * start with `#!`, and can be executed. */
export const guestFiles: Readonly<Record<string, string>> = {
  'etc/hostname': 'debian\n',
  'etc/hosts': '127.0.0.1 localhost debian\n::1 localhost\n',
  // QEMU's own resolver.
  'etc/resolv.conf': 'nameserver 10.0.2.3\n',
  'etc/systemd/network/20-dhcp.network': `[Match]
Name=en*
[Network]
DHCP=yes
`,
  // Waits for an address, unless there is no card: asked of the bus, since drivers come later.
  'etc/systemd/system/systemd-networkd-wait-online.service.d/card.conf': `[Service]
ExecCondition=/bin/sh -c 'grep -q ^0x02 /sys/bus/pci/devices/*/class'
ExecStart=
ExecStart=/lib/systemd/systemd-networkd-wait-online --ipv4 --timeout=60
`,
  // On a busy host the 90 s that systemd gives a device, such as the console's, may pass before it looks at it.
  'etc/systemd/system.conf.d/patience.conf': '[Manager]\nDefaultTimeoutStartSec=600\n',
  'etc/systemd/journald.conf.d/volatile.conf': '[Journal]\nStorage=volatile\n',
  // Without a seed of these kinds cloud-init does not start at all.
  'etc/cloud/cloud.cfg.d/95_datasources.cfg': 'datasource_list: [NoCloud, ConfigDrive]\n',
  'etc/cloud/ds-identify.cfg': 'policy: search,found=first,maybe=none,notfound=disabled\n',
  'etc/initramfs-tools/conf.d/virtual-machine': 'MODULES=list\n',
  'usr/share/initramfs-tools/modules.d/virtual-machine': 'virtio_pci\nvirtio_blk\next4\n',
  // What is left of udev's part in it.
  'etc/initramfs-tools/scripts/init-bottom/devices': `#!/bin/sh
[ "$1" = prereqs ] || mount -o move /dev "$rootmnt/dev"
`,
  'etc/modprobe.d/virtual-machine.conf': UNUSED_MODULES.map((name) => `blacklist ${name}\n`).join(
    '',
  ),
  // Not "linux": what that does from "boot" to the kernel's first word takes seconds under TCG.
  'boot/grub/grub.cfg': `linux16 /vmlinuz root=/dev/vda1 rw ${kernelParameters('x86_64')}
initrd16 /initrd.img
boot
`,
}

/** Units that cost time and are of no use in a guest that lives for a test. */
const MASKED_UNITS = [
  'apt-daily-upgrade.timer',
  'apt-daily.timer',
  'dev-hugepages.mount',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
  'modprobe@configfs.service',
  'modprobe@dm_mod.service',
  'modprobe@drm.service',
  'modprobe@efi_pstore.service',
  'modprobe@fuse.service',
  'modprobe@loop.service',
  'proc-sys-fs-binfmt_misc.automount',
  'sys-fs-fuse-connections.mount',
  'sys-kernel-config.mount',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'systemd-binfmt.service',
  'systemd-journal-flush.service',
  'systemd-network-generator.service',
  'systemd-pstore.service',
  'systemd-remount-fs.service',
  'systemd-repart.service',
]

/** Programs that systemd would run at each start to find disks and modes that the guest has not got. */
const MASKED_GENERATORS = [
  'cryptsetup',
  'debug',
  'gpt-auto',
  'hibernate-resume',
  'integritysetup',
  'rc-local',
  'run',
  'system-update',
  'veritysetup',
]

/** Where GRUB's parts for the disk are left in the guest. */
export const GRUB_CORE = 'boot/grub/core.img'
export const GRUB_BOOT_SECTOR = 'usr/lib/grub/i386-pc/boot.img'

/** A shell script that runs in the guest's root directory once all packages are configured. */
export const CONFIGURE = `
systemctl enable systemd-networkd
systemctl add-wants multi-user.target network-online.target
systemctl mask ${MASKED_UNITS.join(' ')}
mkdir -p /etc/systemd/system-generators
for name in ${MASKED_GENERATORS.join(' ')}; do
  ln -s /dev/null "/etc/systemd/system-generators/systemd-$name-generator"
done
passwd --delete root
grub-mkimage --format=i386-pc --output=/${GRUB_CORE} --prefix='(hd0,msdos1)/boot/grub' \\
  biosdisk part_msdos ext2 normal linux16
`
