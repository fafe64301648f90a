import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { z } from 'zod'
import { nameSchema } from '../../params/names.js'
import { optionsSchema } from '../../params/options.js'
import { parse } from '../../params/parse.js'
import { sizeSchema } from '../../params/size.js'
import { blockNode } from '../../qemu/machine/block-node.js'
import { diskNode } from '../../qemu/machine/disk-node.js'
import { pluggedId } from '../../qemu/machine/hot-plug-names.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { createBlank } from '../../qemu/qemu-img/create.js'
import type { GuestAccess } from '../guest-access.js'
import type { GuestProcess } from '../guest-process.js'
import { AttachedDevice } from './attached-device.js'
import { freeName, inTurn, plugIntoPci } from './plug-in.js'

const optionsOfDisk = optionsSchema({
  size: sizeSchema,
  /** The serial number, by which the guest finds it in `/dev/disk/by-id`. */
  name: nameSchema.max(20, 'a serial number has at most 20 characters').optional(),
})

/** A blank disk for a running machine. */
export type AttachDiskOptions = z.input<typeof optionsOfDisk>

/** Plugs a blank disk into a machine. Its file lies with the machine's and goes with them. */
export async function attachDisk(
  access: GuestAccess,
  process: GuestProcess,
  options: AttachDiskOptions,
): Promise<AttachedDevice> {
  const disk = parse(optionsOfDisk, options, 'attachDisk')
  return await inTurn(process, () => attach(access, process, disk))
}

async function attach(
  access: GuestAccess,
  process: GuestProcess,
  { size, name: wanted }: z.output<typeof optionsOfDisk>,
): Promise<AttachedDevice> {
  const name = await freeName(process, 'disk', wanted)
  const { qmp } = process
  const id = pluggedId(name)
  const file = join(process.options.directory, `${id}.qcow2`)
  const disk: Disk = { name: id, file, format: 'qcow2' }
  process.isAltered = true
  const removeRest = async () => {
    await qmp.execute('blockdev-del', { 'node-name': blockNode(disk) })
    await rm(file, { force: true })
  }
  await createBlank(file, size)
  await qmp.execute('blockdev-add', diskNode(disk))
  try {
    const drive = { driver: 'virtio-blk-pci', drive: blockNode(disk), id, serial: name }
    await plugIntoPci(process, drive)
  } catch (error) {
    await removeRest()
    throw error
  }
  return new AttachedDevice(access, process, { name, id, removeRest })
}
