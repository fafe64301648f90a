import { blockNode } from './block-node.js'
import { diskNode } from './disk-node.js'
import type { Disk, LaunchOptions } from './launch-options.js'

/** Ports of an AHCI controller. */
const SATA_PORTS = 6

/** What SCSI and SATA keep of a serial number. */
const SERIAL_LENGTH = 20

/** The device of a CD-ROM, by which its medium is changed. */
export function cdromDevice(name: string): string {
  return `cdrom-${name}`
}

/**
 * The arguments for a machine's drives. Controllers come with the first drive that needs them; SATA has
 * one of its own also where the machine type brings one, since types differ in that.
 */
export function driveArguments({
  disks,
  bootOrder,
}: Pick<LaunchOptions, 'disks' | 'bootOrder'>): string[] {
  const sockets = new Sockets()
  return disks.flatMap((disk, index) => {
    if (disk.role === 'tpm') return []
    const medium = ['-blockdev', JSON.stringify(diskNode(disk))]
    if (disk.role === 'variables') return medium
    const { controller, device } = sockets.next(disk)
    const byDefault = disk.role === 'cdrom' ? 0 : index + 1
    const boots = bootIndex(bootOrder === undefined ? byDefault : bootOrder.indexOf(disk.name) + 1)
    return [...medium, ...controller, '-device', `${device}${boots}`]
  })
}

/** An option of a device; without it, the firmware tries the device after all that have it. */
export function bootIndex(place: number): string {
  return place === 0 ? '' : `,bootindex=${place}`
}

/** Where the drives of a machine are plugged in, one after the other. */
class Sockets {
  readonly #controllers = new Set<string>()
  #sataDrives = 0

  next(disk: Disk): { controller: string[]; device: string } {
    const { bus = 'virtio', role, name } = disk
    const drive = `drive=${blockNode(disk)}${writeCache(disk)}`
    const serial = `serial=${name.slice(0, SERIAL_LENGTH)}`
    const id = role === 'cdrom' ? `,id=${cdromDevice(name)}` : ''
    const kind = role === 'cdrom' ? 'cd' : 'hd'
    switch (bus) {
      case 'virtio':
        return { controller: [], device: `virtio-blk-pci,${drive},serial=${name}` }
      case 'nvme':
        return { controller: [], device: `nvme,${drive},${serial}` }
      case 'scsi': {
        // A USB disk brings a SCSI bus, too, which is called scsi.0.
        const controller = this.#controller('virtio-scsi-pci,id=scsi-drives')
        return { controller, device: `scsi-${kind},bus=scsi-drives.0,${drive},${serial}${id}` }
      }
      case 'usb': {
        const controller = this.#controller('qemu-xhci,id=usb-drives,p2=15,p3=15')
        return { controller, device: `usb-storage,bus=usb-drives.0,${drive},${serial}` }
      }
      case 'sata': {
        const index = this.#sataDrives++
        const sata = `sata${Math.floor(index / SATA_PORTS)}`
        const controller = this.#controller(`ich9-ahci,id=${sata}`)
        const port = `${sata}.${index % SATA_PORTS}`
        return { controller, device: `ide-${kind},bus=${port},${drive},${serial}${id}` }
      }
    }
  }

  #controller(device: string): string[] {
    if (this.#controllers.has(device)) return []
    this.#controllers.add(device)
    return ['-device', device]
  }
}

/** Whether the drive tells its guest of a cache that is to be flushed; it does unless told. */
function writeCache({ cache }: Disk): string {
  return cache === 'writethrough' || cache === 'directsync' ? ',write-cache=off' : ''
}
