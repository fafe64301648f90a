import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { image } from '../../../src/images/image.js'
import { deferred } from '../../../src/qemu/deferred.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { Vm } from '../../../src/states/definitions/types.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { rejection } from '../../guest/tiny-vm.js'
import { useStore } from '../graph/use-store.js'

const place = useStore()

const tiny = machine('tiny', { image: image.tiny(), memory: '128 MiB', hotplugPorts: 1 })
const serving = tiny.live('serving', (vm) => vm.$`nc -ll -p 80 -e cat >/dev/null 2>&1 &`)

/** Whether machines go back to their state in their process after what is done with them. */
async function goesBack(work: (vm: Vm) => Promise<unknown>): Promise<boolean> {
  await using opened = await openMachines(serving, place.context)
  const before = opened.processes[0]?.pid
  await work(opened.handle())
  await opened.reset()
  await opened.handle().$`true`
  return opened.processes[0]?.pid === before
}

it('a machine goes back in its process, as long as nobody is connected to it', async () => {
  expect(await goesBack((vm) => vm.$`true`)).toBe(true)
  const closed = deferred<void>()
  const isBack = await goesBack(async (vm) => {
    await vm.waitForPort(80)
    const { port } = await vm.forwardPort(80)
    const socket = connect(port, '127.0.0.1')
    socket.on('close', () => closed.resolve()).on('error', () => {})
    socket.write('hello\n')
    expect(String(await once(socket, 'data').then(([data]) => data))).toBe('hello\n')
  })
  expect(isBack).toBe(false)
  await closed.promise
}, 120_000)

it('keys that were pressed are in no later test', async () => {
  expect(await goesBack((vm) => vm.sendKeys('ctrl-alt-f2'))).toBe(false)
}, 60_000)

it('a balloon is not let in where it would punch holes into the state', async () => {
  await using opened = await openMachines(serving, place.context)
  const vm = opened.handle()
  const error = await rejection(vm.qmp('device_add', { driver: 'virtio-balloon-pci', id: 'b' }))
  expect(error).toMatchObject({ code: 'INVALID_VALUE' })
  expect(error.message).toContain('would damage the state')
  await vm.qmp('device_add', { driver: 'virtio-rng-pci', id: 'r', bus: 'hotplug-port0' })
}, 60_000)

it('a device that a setup has plugged in by hand is in the way of a live state', async () => {
  const named = tiny.live('named', (vm) =>
    vm.qmp('device_add', { driver: 'virtio-rng-pci', bus: 'hotplug-port0', id: 'extra' }),
  )
  const nameless = tiny.live('nameless', (vm) =>
    vm.qmp('device_add', { driver: 'virtio-rng-pci', bus: 'hotplug-port0' }),
  )
  for (const state of [named, nameless]) {
    const error = await rejection(openMachines(state, place.context))
    expect(error.message).toMatch(/the device \S+ was attached, and not detached/)
  }
}, 120_000)
