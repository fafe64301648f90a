import { KERNEL_PARAMETERS } from '../../../src/images/tiny/recipe.js'

/** Files that are there before packages are configured, so that these find them; path to text. */
export const guestFiles: Readonly<Record<string, string>> = {
  'etc/fstab': '/dev/vda1 / ext4 noatime 0 0\n',
  'etc/hostname': 'debian\n',
  'etc/hosts': '127.0.0.1 localhost debian\n::1 localhost\n',
  // QEMU's own resolver.
  'etc/resolv.conf': 'nameserver 10.0.2.3\n',
  'etc/systemd/network/20-dhcp.network': `[Match]
Name=en*
[Network]
DHCP=yes
`,
  // Waits for an address, unless there is no card.
  'etc/systemd/system/systemd-networkd-wait-online.service.d/card.conf': `[Unit]
ConditionPathExistsGlob=/sys/class/net/en*
[Service]
ExecStart=
ExecStart=/lib/systemd/systemd-networkd-wait-online --ipv4 --timeout=60
`,
  'etc/systemd/journald.conf.d/volatile.conf': '[Journal]\nStorage=volatile\n',
  // Without a seed of these kinds cloud-init does not start at all.
  'etc/cloud/cloud.cfg.d/95_datasources.cfg': 'datasource_list: [NoCloud, ConfigDrive]\n',
  'etc/cloud/ds-identify.cfg': 'policy: search,found=first,maybe=none,notfound=disabled\n',
  'etc/initramfs-tools/conf.d/virtual-machine': 'MODULES=list\n',
  'usr/share/initramfs-tools/modules.d/virtual-machine': 'virtio_pci\nvirtio_blk\next4\n',
  'boot/grub/grub.cfg': `linux /vmlinuz root=/dev/vda1 rw ${KERNEL_PARAMETERS}
initrd /initrd.img
boot
`,
}

/** Units that cost time and are of no use in a guest that lives for a test. */
const MASKED_UNITS = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
]

/** Where GRUB's parts for the disk are left in the guest. */
export const GRUB_CORE = 'boot/grub/core.img'
export const GRUB_BOOT_SECTOR = 'usr/lib/grub/i386-pc/boot.img'

/** A shell script that runs in the guest's root directory once all packages are configured. */
export const CONFIGURE = `
systemctl enable systemd-networkd
systemctl add-wants multi-user.target network-online.target
systemctl mask ${MASKED_UNITS.join(' ')}
passwd --delete root
grub-mkimage --format=i386-pc --output=/${GRUB_CORE} --prefix='(hd0,msdos1)/boot/grub' \\
  biosdisk part_msdos ext2 normal linux
`
