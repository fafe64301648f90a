/** The release that the guest is, whatever the host is. */
export const RELEASE = 'bookworm'

/** Packages of the guest besides those that Debian calls essential, and besides apt. */
export const PACKAGES = [
  // The full kernel: its cloud flavour lacks the driver of vmgenid.
  'linux-image-amd64',
  'initramfs-tools',
  'zstd',
  'grub-pc-bin',
  'systemd-sysv',
  'udev',
  'dbus',
  'iproute2',
  'iputils-ping',
  'netbase',
  'openssh-server',
  'cloud-init',
  'qemu-guest-agent',
  'ca-certificates',
  'curl',
  'procps',
]

/** Drivers of hardware that no virtual machine has. */
const DRIVERS_LEFT_OUT = [
  'drivers/bluetooth',
  'drivers/gpu',
  'drivers/iio',
  'drivers/infiniband',
  'drivers/isdn',
  'drivers/media',
  'drivers/mmc',
  'drivers/mtd',
  'drivers/net/ethernet',
  'drivers/net/wireless',
  'drivers/scsi',
  'drivers/staging',
  'drivers/thunderbolt',
  'net/bluetooth',
  'net/wireless',
  'sound',
]

/** Files of packages that the guest is without, as patterns of dpkg. */
export const LEFT_OUT = [
  '/usr/share/doc/*',
  '/usr/share/info/*',
  '/usr/share/locale/*',
  '/usr/share/man/*',
  '/lib/udev/hwdb.d/*',
  // The kernel finds the disk by itself: starting udev once more would take seconds under TCG.
  '/usr/share/initramfs-tools/*/udev',
  ...DRIVERS_LEFT_OUT.map((path) => `/lib/modules/*/kernel/${path}/*`),
]

/** Files that match {@link LEFT_OUT}, but are there: disks, CD-ROMs and cards that QEMU has. */
export const KEPT = [
  'drivers/net/ethernet/intel/e1000*',
  'drivers/net/ethernet/realtek/8139*',
  'drivers/scsi/s?_mod*',
  'drivers/scsi/scsi_*',
  'drivers/scsi/virtio_scsi*',
].map((path) => `/lib/modules/*/kernel/${path}`)
