import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { forkBackend } from '../../../src/backends/fork/graph.js'
import { OwnRam } from '../../../src/backends/fork/own-ram.js'
import { liveBackend } from '../../../src/backends/live/graph.js'
import { blockNode } from '../../../src/qemu/machine/block-node.js'
import type { Disk } from '../../../src/qemu/machine/launch-options.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'
import { firmwareReady, temporaryDirectory } from '../../qemu/machine/bare-machine.js'
import { directoryIn, launchOn, overlayDisks, read, startFrom, write } from '../live-machines.js'

const RAM_SIZE = 32 * 2 ** 20

/** A disk on each bus that live states bear, of each cache, one that is only read, and a disc on each bus. */
async function allDrives(root: string): Promise<Disk[]> {
  const disks = await overlayDisks(root, ['virtio', 'scsi', 'sata', 'usb', 'direct', 'through'])
  const blank = join(root, 'blank.raw')
  execFileSync('qemu-img', ['create', '-q', '-f', 'raw', blank, '4M'])
  const fixed = { file: blank, format: 'raw', readOnly: true } as const
  return [
    ...disks.map((disk): Disk => {
      if (disk.name === 'direct') return { ...disk, cache: 'directsync' }
      if (disk.name === 'through') return { ...disk, bus: 'scsi', cache: 'writethrough' }
      return { ...disk, bus: disk.name as 'virtio' }
    }),
    { ...fixed, name: 'fixed', bus: 'usb' },
    { ...fixed, name: 'disc', role: 'cdrom', bus: 'sata' },
    { ...fixed, name: 'other', role: 'cdrom', bus: 'scsi' },
  ]
}

/** How the drive of a disk is cached. */
async function cacheOf({ qmp }: MachineProcess, name: string): Promise<unknown> {
  const drives = (await qmp.execute('query-block')) as {
    inserted?: { 'node-name': string; cache: unknown }
  }[]
  const node = blockNode({ name })
  return drives.find(({ inserted }) => inserted?.['node-name'] === node)?.inserted?.cache
}

const all = (byte: number) => Array(7).fill(byte)

test('drives of every bus and cache go back with a machine, in its process and in another', async () => {
  const root = await temporaryDirectory()
  const disks = await allDrives(root)
  await using ram = await OwnRam.create(RAM_SIZE, root)
  const process = await launchOn(disks, { ram: { path: ram.path, shared: true } })
  await firmwareReady(process)
  await write(process, 0x11)
  const directory = await directoryIn(root, 'state')
  const state = await forkBackend.capture({ disks, process, ram }, directory)
  const one = await startFrom(state, 'test', root, 'one')
  for (const byte of [0x22, 0x33]) {
    await write(one.process, byte)
    expect(await read(one.process)).toEqual(all(byte))
    await one.process.qmp.execute('stop')
    await one.prepared.rewind?.(one.process)
    expect(await read(one.process)).toEqual(all(0x11))
    await one.process.qmp.execute('cont')
  }
  expect(await cacheOf(one.process, 'sata')).toMatchObject({ writeback: true, 'no-flush': true })
  expect(await cacheOf(one.process, 'through')).toMatchObject({
    ...{ writeback: false, direct: false, 'no-flush': false },
  })
  expect(await cacheOf(one.process, 'direct')).toMatchObject({ writeback: false, direct: true })
  expect(one.process.isAltered).toBe(false)
  await one.process.qmp.execute('blockdev-open-tray', { id: 'cdrom-disc', force: true })
  await expect.poll(() => one.process.isAltered).toBe(true)
  const two = await startFrom(state, 'test', root, 'two')
  expect(await read(two.process)).toEqual(all(0x11))
})

test('drives of every bus are in live states of one file', async () => {
  const root = await temporaryDirectory()
  const disks = await allDrives(root)
  const process = await launchOn(disks)
  await firmwareReady(process)
  await write(process, 0x11)
  const state = await liveBackend.capture({ disks, process }, await directoryIn(root, 'state'))
  const one = await startFrom(state, 'test', root, 'one')
  expect(await read(one.process)).toEqual(all(0x11))
  await write(one.process, 0x22)
  await one.process.qmp.execute('stop')
  await one.prepared.rewind?.(one.process)
  expect(await read(one.process)).toEqual(all(0x11))
})

test('a machine with an NVMe disk is refused, with the device that cannot be saved', async () => {
  const root = await temporaryDirectory()
  const disks = (await overlayDisks(root)).map((disk): Disk => ({ ...disk, bus: 'nvme' }))
  const process = await launchOn(disks)
  await expect(forkBackend.requireSavable?.({ disks, process })).rejects.toMatchObject({
    code: 'SAVE_BLOCKED',
    message: expect.stringContaining('nvme'),
  })
})
