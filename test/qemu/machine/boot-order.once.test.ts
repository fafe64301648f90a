import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Disk } from '../../../src/qemu/machine/launch-options.js'
import { launchBare, temporaryDirectory } from './bare-machine.js'

/** A disk with a boot sector that writes a text to the serial port and stops. */
function bootDisk(text: string): Buffer {
  const program = Buffer.from('31c08ed8be157cbaf803ac84c07403eeebf8f4ebfd', 'hex')
  const disk = Buffer.alloc(2 ** 20)
  Buffer.concat([program, Buffer.from(`${text}\n\0`)]).copy(disk)
  disk.writeUInt16LE(0xaa55, 510)
  return disk
}

/** A disc with nothing but that boot sector, after the El Torito specification. */
function bootDisc(text: string): Buffer {
  const sector = (number: number) => number * 2048
  const disc = Buffer.alloc(sector(20))
  disc.write('\u0001CD001\u0001', sector(16), 'latin1')
  disc.write('\0CD001\u0001EL TORITO SPECIFICATION', sector(17), 'latin1')
  disc.writeUInt32LE(18, sector(17) + 0x47)
  Buffer.from([1]).copy(disc, sector(18))
  Buffer.from([0xaa, 0x55, 0x55, 0xaa]).copy(disc, sector(18) + 28)
  Buffer.from([0x88, 0, 0, 0, 0, 0, 4, 0, 19]).copy(disc, sector(18) + 32)
  bootDisk(text).copy(disc, sector(19), 0, sector(1))
  return disc
}

/** What a machine with two disks and a disc, all of which boot, says first. */
async function firstWord(
  bootOrder: string[] | undefined,
  changes: Partial<Disk> = {},
): Promise<string> {
  const root = await temporaryDirectory()
  const file = async (name: string, content: Buffer) => {
    await writeFile(join(root, name), content)
    return { name, file: join(root, name), format: 'raw' as const }
  }
  const disks: Disk[] = [
    { ...(await file('image', bootDisk('sector image'))), ...changes },
    { ...(await file('data', bootDisk('sector data'))), bus: 'sata' },
    {
      ...(await file('disc', bootDisc('sector disc'))),
      bus: 'sata',
      role: 'cdrom',
      readOnly: true,
    },
  ]
  const machine = await launchBare({ disks, bootOrder, network: 'nat' })
  let said: string | undefined
  const look = async () => {
    said = /sector \w+|iPXE/.exec(await machine.consoleTail())?.[0]
    return said
  }
  await expect.poll(look, { timeout: 60_000 }).toBeDefined()
  return said ?? ''
}

test.each([
  ['the first disk, unless told', undefined, 'sector image'],
  ['another disk', ['data'], 'sector data'],
  ['a CD-ROM', ['disc', 'image'], 'sector disc'],
  ['the network', ['network', 'image'], 'iPXE'],
])('a machine boots from %s', async (_, bootOrder, word) => {
  expect(await firstWord(bootOrder)).toBe(word)
})

test.each(['scsi', 'sata', 'nvme', 'usb'] as const)('a machine boots from %s', async (bus) => {
  expect(await firstWord(undefined, { bus })).toBe('sector image')
})
