import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { ImageTarget } from '../../../src/backends/image-backend.js'
import { internalBackend } from '../../../src/backends/internal/internal-backend.js'
import { liveImageBackend as live } from '../../../src/backends/live/image-backend.js'
import { connectQmp } from '../../../src/qemu/qmp/connect.js'
import { temporaryDirectory } from '../../qemu/machine/bare-machine.js'
import { isRunning, launchOn, overlayDisks, read, write } from '../live-machines.js'

async function runningTarget() {
  const disks = await overlayDisks(await temporaryDirectory())
  const machine = await launchOn(disks)
  const offline: ImageTarget = { disks }
  const target: ImageTarget = { disks, process: machine }
  const snapshot = (command: string, tag: string, index: number) =>
    machine.qmp.runJob(`snapshot-${command}`, {
      tag,
      devices: [`disk-${disks[index]?.name}`],
      ...(command === 'save' && { vmstate: `disk-${disks[index]?.name}` }),
    })
  return { disks, machine, offline, target, snapshot }
}

test('a state is set on a running machine, which goes on, and got again', async () => {
  const { machine, target } = await runningTarget()
  await write(machine, 0x11)
  await live.set(target, 'ready')
  expect(await isRunning(machine)).toBe(true)
  await write(machine, 0x22)
  await live.get(target, 'ready')
  expect(await isRunning(machine)).toBe(true)
  expect(await read(machine)).toEqual([0x11, 0x11, 0x11])
})

test('a paused machine stays paused', async () => {
  const { machine, target } = await runningTarget()
  await machine.qmp.execute('stop')
  await write(machine, 0x11)
  await live.set(target, 'ready')
  expect(await machine.qmp.execute('query-status')).toMatchObject({ status: 'paused' })
  await write(machine, 0x22)
  await live.get(target, 'ready')
  expect(await machine.qmp.execute('query-status')).toMatchObject({ status: 'paused' })
  expect(await read(machine)).toEqual([0x11, 0x11, 0x11])
})

test('states show the same from the machine and from its files, and only live ones', async () => {
  const { machine, disks, offline, target } = await runningTarget()
  expect(await live.show(target)).toEqual([])
  await live.set(target, 'one')
  await live.set(target, 'two')
  const shown = await live.show(target)
  expect(shown.map(({ name, liveness }) => [name, liveness])).toEqual([
    ['one', 'live'],
    ['two', 'live'],
  ])
  expect(shown[0]?.vmStateSize).toBeGreaterThan(100_000)
  expect(Math.abs((shown[0]?.date.getTime() ?? 0) - Date.now())).toBeLessThan(60_000)
  const fromFiles = await live.show(offline)
  expect(fromFiles.map(({ name, date }) => ({ name, date }))).toEqual(
    shown.map(({ name, date }) => ({ name, date })),
  )
  await machine.close()
  for (const { file } of disks) execFileSync('qemu-img', ['snapshot', '-c', 'off', file])
  expect((await live.show(offline)).map(({ name }) => name)).toEqual(['one', 'two'])
  expect((await internalBackend.show(offline)).map(({ name }) => name)).toEqual(['off'])
  expect(await live.check(offline, 'two')).toBe(true)
  expect(await live.check(offline, 'off')).toBe(false)
})

test('setting a name again replaces the state, and leaves nothing else behind', async () => {
  const { machine, target } = await runningTarget()
  await live.set(target, 'ready')
  await write(machine, 0x22)
  await live.set(target, 'ready')
  await write(machine, 0x33)
  await live.get(target, 'ready')
  expect(await read(machine)).toEqual([0x22, 0x22, 0x22])
  const list = await machine.qmp.humanMonitor('info snapshots')
  expect(list.match(/ready/g)).toHaveLength(1)
})

test('a replacement that is broken off at any step leaves the old or the new state', async () => {
  const { machine, target } = await runningTarget()
  await write(machine, 0x11)
  await live.set(target, 'ready')
  await write(machine, 0x22)
  for (const failing of ['snapshot-save', 'snapshot-delete']) {
    for (const occurrence of [1, 2]) {
      let count = 0
      const qmp = new Proxy(machine.qmp, {
        get(client, property) {
          if (property !== 'runJob') return Reflect.get(client, property).bind(client)
          return (command: string, args: Record<string, unknown>) => {
            if (command === failing && ++count === occurrence) throw new Error('broken off')
            return client.runJob(command, args)
          }
        },
      })
      await expect(live.set({ ...target, process: { qmp } }, 'ready')).rejects.toThrow('broken off')
      expect(await isRunning(machine)).toBe(true)
      expect(await live.check(target, 'ready')).toBe(true)
      expect((await live.show(target)).map(({ name }) => name)).toEqual(['ready'])
      await live.get(target, 'ready')
      const [byte] = await read(machine)
      expect([0x11, 0x22]).toContain(byte)
      await write(machine, 0x22)
    }
  }
  await live.set(target, 'ready')
  expect(await machine.qmp.humanMonitor('info snapshots')).not.toContain('pending')
  await live.get(target, 'ready')
  expect(await read(machine)).toEqual([0x22, 0x22, 0x22])
})

test('a state that not every disk has is none, and does not hinder a new one', async () => {
  const { machine, target, snapshot } = await runningTarget()
  await snapshot('save', 'half', 0)
  expect(await live.show(target)).toEqual([])
  await expect(live.get(target, 'half')).rejects.toMatchObject({ code: 'STATE_MISSING' })
  await expect(live.unset(target, 'half')).rejects.toMatchObject({ code: 'STATE_MISSING' })
  await write(machine, 0x22)
  await live.set(target, 'half')
  await write(machine, 0x33)
  await live.get(target, 'half')
  expect(await read(machine)).toEqual([0x22, 0x22, 0x22])
})

test('states are removed with and without the machine', async () => {
  const { machine, target, offline } = await runningTarget()
  for (const name of ['one', 'two', 'three']) await live.set(target, name)
  await live.unset(target, 'one')
  expect((await live.show(target)).map(({ name }) => name)).toEqual(['two', 'three'])
  await expect(live.unset(target, 'one')).rejects.toMatchObject({ code: 'STATE_MISSING' })
  await expect(live.unset(offline, 'two')).rejects.toMatchObject({ code: 'IMAGE_IN_USE' })
  await machine.close()
  await live.unset(offline, 'two')
  expect((await live.show(offline)).map(({ name }) => name)).toEqual(['three'])
})

test('a tag that is the ID of another snapshot is not mistaken for it', async () => {
  const { target } = await runningTarget()
  await live.set(target, 'one')
  await live.set(target, '1')
  await expect(live.get(target, '1')).rejects.toMatchObject({
    code: 'INVALID_NAME',
    message: expect.stringContaining('"1" is also the ID of another snapshot'),
  })
  await live.unset(target, '1')
  expect((await live.show(target)).map(({ name }) => name)).toEqual(['one'])
})

test('setting and getting need the machine that runs on the disks', async () => {
  const { offline, target } = await runningTarget()
  await live.set(target, 'ready')
  const missing = { code: 'MACHINE_NOT_RUNNING' }
  await expect(live.set(offline, 'ready')).rejects.toMatchObject(missing)
  await expect(live.get(offline, 'ready')).rejects.toMatchObject(missing)
  const other = await runningTarget()
  const mistaken: ImageTarget = { ...offline, process: other.machine }
  await expect(live.get(mistaken, 'ready')).rejects.toMatchObject({ code: 'DISK_NOT_IN_MACHINE' })
})

test('a disk that the target leaves out is in the way of saving', async () => {
  const { disks, machine } = await runningTarget()
  const target: ImageTarget = { disks: disks.slice(0, 1), process: machine }
  await expect(live.set(target, 'ready')).rejects.toMatchObject({ code: 'SAVE_BLOCKED' })
  expect(await isRunning(machine)).toBe(true)
})

test('a QEMU of the user is served by its socket, its disk given as it likes', async () => {
  const directory = await temporaryDirectory()
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', 'disk.qcow2', '16M'], { cwd: directory })
  const args = ['-display', 'none', '-m', '32', '-drive', 'file=disk.qcow2,format=qcow2,if=virtio']
  const socket = join(directory, 'qmp')
  const qemu = spawn(
    'setpriv',
    [
      '--pdeathsig',
      'KILL',
      'qemu-system-x86_64',
      ...args,
      '-qmp',
      `unix:${socket},server=on,wait=off`,
    ],
    { cwd: directory, stdio: 'ignore' },
  )
  onTestFinished(() => {
    qemu.kill('SIGKILL')
  })
  // The file is there a moment before QEMU listens.
  const qmp = await vi.waitFor(() => connectQmp(socket), { timeout: 20_000, interval: 10 })
  const file = join(directory, 'disk.qcow2')
  const target: ImageTarget = { disks: [{ name: 'disk', file, format: 'qcow2' }], process: { qmp } }
  await live.set(target, 'ready')
  expect((await live.show(target)).map(({ name }) => name)).toEqual(['ready'])
  await live.get(target, 'ready')
  await live.unset(target, 'ready')
  qmp.close()
})
