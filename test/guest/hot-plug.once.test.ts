import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { requireForkable } from '../../src/backends/fork/forkable.js'
import { requireSavable } from '../../src/backends/live/blockers.js'
import { snapshotOf } from '../../src/backends/live/disk-snapshot.js'
import type { Vm } from '../../src/guest/vm.js'
import { VmControl } from '../../src/guest/vm-control.js'
import type { Disk, LaunchOptions } from '../../src/qemu/machine/launch-options.js'
import type { MachineProcess } from '../../src/qemu/machine/machine-process.js'
import { launchBare, temporaryDirectory } from '../qemu/machine/bare-machine.js'
import { bootTiny, rejection, type TinyVm } from './tiny-vm.js'

/** Refuses what a live state by either backend would. */
async function requireBoth(process: MachineProcess): Promise<void> {
  const { disks } = process.options
  await requireSavable(process.qmp, snapshotOf(disks).nodes, process.options.name)
  await requireForkable({ disks, process })
}

/** Waits until the guest has a disk or a card, or has it no more. */
async function waitFor(vm: Vm, path: string, is: 'there' | 'gone'): Promise<void> {
  const command = is === 'there' ? 'until' : 'while'
  await vm.exec('/bin/sh', ['-c', `${command} [ -e ${path} ]; do sleep 0.1; done`], {
    timeout: 60_000,
  })
}

async function bare(changes: Partial<LaunchOptions>) {
  const process = await launchBare(changes)
  const control = new VmControl({ machine: 'bare', liveness: 'disk' })
  control.attach(process)
  onTestFinished(() => control.release('the test has ended'))
  return { process, control, vm: control.vm }
}

describe.each([
  ['a machine with ports for it', { hotplugPorts: 2 }],
  ['a machine of the type pc, which needs none', { machineType: 'pc' }],
])('in %s', (_, changes) => {
  let tiny: TinyVm
  beforeAll(async () => {
    tiny = await bootTiny(changes)
  })
  afterAll(() => tiny[Symbol.asyncDispose]())

  test('a disk is attached, used and detached, as often as asked', async () => {
    const { vm, process } = tiny
    for (const round of ['one', 'two', 'three']) {
      const disk = await vm.attachDisk({ size: '1 MiB', name: 'extra' })
      expect(disk.name).toBe('extra')
      await waitFor(vm, '/sys/block/vdb', 'there')
      await vm.$`echo ${round} >/dev/vdb; sync`
      const { stdout } =
        await vm.$`cat /sys/block/vdb/serial /sys/block/vdb/size; head -n 1 /dev/vdb`
      expect(stdout).toBe(`extra2048\n${round}`)
      expect(await readdir(process.options.directory)).toContain('plugged-extra.qcow2')
      expect((await rejection(requireBoth(process))).message).toContain(
        'the device plugged-extra was attached, and not detached',
      )
      await disk.detach()
      await disk.detach()
      await waitFor(vm, '/sys/block/vdb', 'gone')
      expect(await readdir(process.options.directory)).not.toContain('plugged-extra.qcow2')
    }
    expect(process.isAltered).toBe(true)
    await requireBoth(process)
  }, 240_000)

  test('a network card is attached beside a disk, and detached', async () => {
    const { vm, process } = tiny
    const card = await vm.attachNetwork({ network: 'isolated', mac: '52:54:00:aa:bb:cc' })
    const disk = await vm.attachDisk({ size: '1 MiB' })
    await waitFor(vm, '/sys/class/net/eth1', 'there')
    const { stdout } = await vm.$`cat /sys/class/net/eth1/address`
    expect(stdout).toBe('52:54:00:aa:bb:cc')
    expect((await rejection(requireBoth(process))).message).toMatch(
      /plugged-card1 was attached.*plugged-disk1 was attached/,
    )
    await Promise.all([card.detach(), disk.detach()])
    await waitFor(vm, '/sys/class/net/eth1', 'gone')
    await requireBoth(process)
  }, 240_000)
})

test('what the guest let go of after the deadline is taken away by the next call', async () => {
  await using tiny = await bootTiny({ hotplugPorts: 1 })
  const { vm, process } = tiny
  const disk = await vm.attachDisk({ size: '1 MiB' })
  await waitFor(vm, '/sys/block/vdb', 'there')
  await vm.pause()
  expect(await rejection(disk.detach({ timeout: 300 }))).toMatchObject({ code: 'HOT_PLUG_FAILED' })
  await vm.resume()
  await vm.waitForEvent('DEVICE_DELETED', { match: { device: 'plugged-disk1' } })
  await Promise.all([disk.detach(), disk.detach()])
  await requireBoth(process)
  expect(await readdir(process.options.directory)).not.toContain('plugged-disk1.qcow2')
}, 120_000)

test('several devices are attached at once', async () => {
  const { vm } = await bare({ hotplugPorts: 4 })
  const size = '1 MiB'
  const devices = await Promise.all([
    ...[vm.attachNetwork(), vm.attachNetwork()],
    ...[vm.attachDisk({ size }), vm.attachDisk({ size })],
  ])
  expect(devices.map(({ name }) => name)).toEqual(['card1', 'card2', 'disk1', 'disk2'])
})

describe('a machine without a guest that listens', () => {
  test('says so where a device is to be detached, and what to do', async () => {
    const { vm } = await bare({ hotplugPorts: 1 })
    const disk = await vm.attachDisk({ size: '1 MiB' })
    const same = vm.attachDisk({ size: '1 MiB', name: 'disk1' })
    expect((await rejection(same)).message).toContain('attached already that is called "disk1"')
    for (let time = 0; time < 2; time++) {
      const error = await rejection(disk.detach({ timeout: 500 }))
      expect(error).toMatchObject({
        code: 'HOT_PLUG_FAILED',
        shortMessage: 'disk1 is not detached: the guest of bare has not let go of it within 500 ms',
        hint: expect.stringContaining('unmount a disk'),
      })
    }
  })

  test('refuses a device that it has no port for, and keeps nothing of it', async () => {
    const { vm, process } = await bare({ hotplugPorts: 1 })
    await vm.attachNetwork()
    for (const attach of [() => vm.attachDisk({ size: '1 MiB' }), () => vm.attachNetwork()]) {
      expect(await rejection(attach())).toMatchObject({
        code: 'HOT_PLUG_FAILED',
        hint: 'Give the machine more: hotplugPorts: 2.',
      })
    }
    expect(await readdir(process.options.directory)).not.toContain('plugged-disk1.qcow2')
  })

  test('gives each device a port of its own, also before the firmware has looked at them', async () => {
    const { vm, process } = await bare({ hotplugPorts: 2, paused: true })
    await vm.attachNetwork()
    await vm.attachDisk({ size: '1 MiB' })
    const buses = ['plugged-card1', 'plugged-disk1'].map((device) =>
      process.qmp.execute('qom-get', {
        path: `/machine/peripheral/${device}`,
        property: 'parent_bus',
      }),
    )
    expect(await Promise.all(buses)).toEqual([
      '/machine/peripheral/hotplug-port0/hotplug-port0',
      '/machine/peripheral/hotplug-port1/hotplug-port1',
    ])
  })

  test('knows that a device went with the process that had it', async () => {
    const { vm, control } = await bare({ hotplugPorts: 1 })
    const disk = await vm.attachDisk({ size: '1 MiB' })
    control.attach(await launchBare({ hotplugPorts: 1 }))
    expect(await rejection(disk.detach())).toMatchObject({ code: 'GUEST_RESTORED' })
  })

  test('takes good options alone', async () => {
    const { vm, process } = await bare({})
    expect((await rejection(vm.attachDisk({ size: '1 MB' }))).message).toContain('attachDisk.size')
    expect((await rejection(vm.attachNetwork({ mac: '52' }))).message).toContain('six pairs')
    expect((await rejection(vm.ejectCdrom('disc'))).message).toContain('bare has no CD-ROM "disc"')
    expect(process.isAltered).toBe(false)
  })
})

test('a disc is changed, taken out and put back', async () => {
  const directory = await temporaryDirectory()
  const disc = async (name: string): Promise<string> => {
    const path = join(directory, name)
    await writeFile(path, Buffer.concat([Buffer.from(`${name}\n`), Buffer.alloc(2 ** 17)]))
    return path
  }
  const cdrom: Disk = {
    ...{ name: 'tools', file: await disc('first'), format: 'raw' },
    ...{ role: 'cdrom', bus: 'scsi', readOnly: true },
  }
  await using tiny = await bootTiny({ disks: [cdrom] })
  const { vm, process } = tiny
  const inside = async (word: string) => {
    await vm.$({
      timeout: 60_000,
    })`until [ "$(head -c 16 /dev/sr0 2>/dev/null | head -n 1)" = ${word} ]; do sleep 0.1; done`
  }
  await inside('first')
  await requireBoth(process)
  await vm.changeCdrom('tools', await disc('second'))
  await inside('second')
  expect(process.isAltered).toBe(true)
  expect((await rejection(requireBoth(process))).message).toContain(
    'the CD-ROM tools has not the disc',
  )
  await vm.ejectCdrom('tools')
  await inside('')
  expect((await rejection(vm.changeCdrom('tools', '/no/such.iso'))).message).toContain(
    '/no/such.iso',
  )
  await vm.changeCdrom('tools', await disc('third'))
  await inside('third')
}, 240_000)
