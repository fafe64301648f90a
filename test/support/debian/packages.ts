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

/** What is left out of packages: documents, and drivers of hardware that no virtual machine has. */
export const LEFT_OUT = [
  '/usr/share/doc/*',
  '/usr/share/info/*',
  '/usr/share/locale/*',
  '/usr/share/man/*',
  '/usr/lib/udev/hwdb.d/*',
  ...[
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
    'sound',
  ].map((path) => `/lib/modules/*/kernel/${path}/*`),
]
