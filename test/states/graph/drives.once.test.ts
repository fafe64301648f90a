import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { Vm } from '../../../src/guest/vm.js'
import { image } from '../../../src/images/image.js'
import { machine } from '../../../src/states/definitions/machine.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { asJustStarted } from './just-started.js'
import { useStore } from './use-store.js'

const place = useStore()

const directory = await mkdtemp(join(tmpdir(), 'vms-drives-'))
afterAll(() => rm(directory, { recursive: true, force: true }))

const SECTOR = 2048

/** Makes a disc, or a disk, that starts with a text. */
async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, Buffer.concat([Buffer.from(`${text}\n`), Buffer.alloc(64 * SECTOR)]))
  return path
}

/** The first line of what each block device of the guest holds, and whether it is only read. */
async function drives(vm: Vm): Promise<string[]> {
  const { stdout } = await vm.$`
    echo 3 >/proc/sys/vm/drop_caches
    for device in vdb sda sr0; do
      echo "$device $(head -c 16 /dev/$device | head -n 1) ro=$(cat /sys/block/$device/ro)"
    done
  `
  return stdout.split('\n')
}

const disc = await file('disc.iso', 'disc')
const fixed = await file('fixed.raw', 'fixed')

const tiny = machine('tiny', {
  image: image.tiny(),
  memory: '256 MiB',
  network: 'none',
  disks: [
    { name: 'fixed', image: image.file(fixed), readOnly: true },
    { name: 'data', size: '1 MiB', bus: 'scsi', cache: 'writeback' },
  ],
  cdroms: [{ name: 'disc', image: image.file(disc), bus: 'scsi' }],
})
const written = tiny.state('written', async (vm) => {
  await vm.$({ timeout: 60_000 })`until head -c 1 /dev/sda /dev/sr0; do sleep 0.1; done`
  await vm.$`echo one >/dev/sda; sync`
})
const forked = written.live('forked', async (vm) => {
  await vm.$({ timeout: 60_000 })`until head -c 1 /dev/sda /dev/sr0; do sleep 0.1; done`
  await vm.$`grep -q one /dev/sda && echo two >/dev/sda && sync`
})

const LEFT = ['vdb fixed ro=1', 'sda two ro=0', 'sr0 disc ro=1']

it('states hold disks of another bus, and have those that are only read and discs as they are', async () => {
  await using one = await openMachines(forked, place.context)
  expect(await drives(one.handle())).toEqual(LEFT)
  const { processes } = one
  await one.handle().$`echo here >/dev/sda; sync`
  asJustStarted(processes)
  await one.reset()
  expect(await drives(one.handle())).toEqual(LEFT)
  expect(one.processes).toEqual(processes)
  // CDROMEJECT
  await one.handle().exec('perl', ['-e', 'open(D, "/dev/sr0") || die; ioctl(D, 0x5309, 0) || die'])
  await one.reset()
  expect(await drives(one.handle())).toEqual(LEFT)
}, 300_000)

it('a disc with other content makes other states', async () => {
  expect(place.built()).toEqual([])
  await file('disc.iso', 'other')
  await using one = await openMachines(forked, place.context)
  expect(place.built()).toContain('tiny/written')
  expect(await drives(one.handle())).toEqual([...LEFT.slice(0, 2), 'sr0 other ro=1'])
}, 300_000)

it('a machine that boots cold has disks on NVMe in its disk states', async () => {
  const cold = machine('cold', {
    ...{ image: image.tiny(), memory: '256 MiB', network: 'none', boot: 'cold' },
    disks: [{ name: 'fast', size: '1 MiB', bus: 'nvme' }],
  })
  const state = cold.state('written', (vm) => vm.$`echo fast >/dev/nvme0n1`)
  await using one = await openMachines(state, place.context)
  const { stdout } = await one.handle().$`head -n 1 /dev/nvme0n1`
  expect(stdout).toBe('fast')
}, 300_000)
