import { createHash } from 'node:crypto'
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { StateFiles } from '../../../src/backends/backend.js'
import { forkBackend } from '../../../src/backends/fork/graph.js'
import { OwnRam } from '../../../src/backends/fork/own-ram.js'
import type { Disk, LaunchOptions } from '../../../src/qemu/machine/launch-options.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'
import { firmwareReady, temporaryDirectory } from '../../qemu/machine/bare-machine.js'
import {
  directoryIn,
  type InHand,
  isRunning,
  launchOn,
  overlayDisks,
  read,
  startFrom,
  write,
} from '../live-machines.js'

interface Capturable {
  disks: readonly Disk[]
  process: MachineProcess
  ram: OwnRam
}

/** A machine that can be captured, and that has written 0x11. */
async function capturable(root: string, changes: Partial<LaunchOptions> = {}): Promise<Capturable> {
  const disks = await overlayDisks(root)
  const ram = await OwnRam.create(32 * 2 ** 20, root)
  const mapped = { path: ram.path, shared: true }
  const process = await launchOn(disks, { ram: mapped, ...changes })
  await firmwareReady(process)
  await write(process, 0x11)
  return { disks, process, ram }
}

/** The state in `root/state`. */
async function captured(root: string): Promise<StateFiles> {
  await using machine = asDisposable(await capturable(root))
  const state = await forkBackend.capture(machine, await directoryIn(root, 'state'))
  expect(machine.process.running).toBe(false)
  return state
}

function asDisposable(machine: Capturable): Capturable & AsyncDisposable {
  return { ...machine, [Symbol.asyncDispose]: () => machine.ram[Symbol.asyncDispose]() }
}

/** The state of a machine in `root/name`. */
async function capture(
  {
    process,
    prepared: { disks, ram },
  }: { process: MachineProcess; prepared: Pick<InHand['prepared'], 'disks' | 'ram'> },
  root: string,
  name: string,
): Promise<StateFiles> {
  return await forkBackend.capture({ disks, process, ram }, await directoryIn(root, name), root)
}

/** QEMU's checksum of the firmware's code, which runs from RAM: it is not that of zeros. */
async function sumOfRam({ qmp }: MachineProcess): Promise<string> {
  await qmp.execute('stop')
  const sum = (await qmp.humanMonitor('sum 0xf8000 0x8000')).trim()
  expect(sum).toMatch(/[1-9]/)
  return sum
}

/** What a state consists of, as digests. */
async function digests({ disks, memory }: StateFiles): Promise<string[]> {
  const files = [...disks.map(({ file }) => file), memory?.ram ?? '', memory?.devices ?? '']
  const contents = await Promise.all(files.map((file) => readFile(file)))
  return contents.map((content) => createHash('sha256').update(content).digest('hex'))
}

test('a captured machine goes on where it was, as often as asked, and each for itself', async () => {
  const root = await temporaryDirectory()
  const state = await captured(root)
  expect(await readdir(join(root, 'work'))).toEqual([])
  expect(await readdir(join(root, 'state'))).toEqual([
    'data.qcow2',
    'devices',
    'devices.qcow2',
    'image.qcow2',
    'ram',
  ])
  const before = await digests(state)
  const [one, two] = await Promise.all([
    startFrom(state, 'test', root, 'one'),
    startFrom(state, 'disk', root, 'two'),
  ])
  expect(await isRunning(one.process)).toBe(true)
  expect(await read(one.process)).toEqual([0x11, 0x11, 0x11])
  await write(one.process, 0x22)
  expect(await read(two.process)).toEqual([0x11, 0x11, 0x11])
  await one.process.qmp.execute('system_reset')
  await firmwareReady(one.process)
  expect(await digests(state)).toEqual(before)
})

test('a child is built on a copy of the RAM, and its state goes on from there', async () => {
  const root = await temporaryDirectory()
  const parent = await captured(root)
  const before = await digests(parent)
  const { process, prepared } = await startFrom(parent, 'live', root, 'child-work')
  await write(process, 0x22)
  const { disks, ram } = prepared
  const child = await forkBackend.capture(
    { disks, process, ram },
    await directoryIn(root, 'child'),
    root,
  )
  await ram?.[Symbol.asyncDispose]()
  expect(await digests(parent)).toEqual(before)
  const { process: restored } = await startFrom(child, 'test', root, 'one')
  expect(await read(restored)).toEqual([0x22, 0x22, 0x22])
})

test('a machine that maps the RAM of others is kept with all of its own, again and again', async () => {
  const root = await temporaryDirectory()
  const parent = await captured(root)
  const before = await digests(parent)
  const first = await startFrom(parent, 'test', root, 'one')
  await write(first.process, 0x22)
  const sum = await sumOfRam(first.process)
  const kept = await capture(first, root, 'kept')
  expect(kept.memory).toEqual({ size: 32 * 2 ** 20, devices: join(root, 'kept/devices') })
  expect(await digests(parent)).toEqual(before)

  const second = await startFrom(kept, 'test', root, 'two')
  expect(await read(second.process)).toEqual([0x22, 0x22, 0x22])
  expect(await sumOfRam(second.process)).toBe(sum)
  const again = await capture(second, root, 'again')
  const third = await startFrom(again, 'live', root, 'three')
  const whole = await capture(third, root, 'whole')
  await third.prepared.ram?.[Symbol.asyncDispose]()
  expect(whole.memory?.ram).toBe(join(root, 'whole/ram'))
  const fourth = await startFrom(whole, 'test', root, 'four')
  expect(await sumOfRam(fourth.process)).toBe(sum)
})

test('a machine whose RAM is no file is kept too, with a balloon', async () => {
  const root = await temporaryDirectory()
  const disks = await overlayDisks(root)
  const extraArgs = ['-device', 'virtio-balloon-pci']
  const process = await launchOn(disks, { extraArgs })
  await firmwareReady(process)
  const sum = await sumOfRam(process)
  const kept = await capture({ process, prepared: { disks } }, root, 'kept')
  const prepared = await forkBackend.prepare(kept, 'test', await directoryIn(root, 'one'))
  const again = await launchOn(prepared.disks, { paused: true, extraArgs, ...prepared.launch })
  await prepared.load(again)
  expect(await sumOfRam(again)).toBe(sum)
})

test('zeros in RAM take no room on the disk, wherever the RAM was', async () => {
  const root = await temporaryDirectory()
  const { memory } = await captured(root)
  const { size, blocks } = await stat(memory?.ram ?? '')
  expect(size).toBe(32 * 2 ** 20)
  expect(blocks * 512).toBeLessThan(size / 4)

  // More than any memory has room for.
  const huge = 2 ** 43
  const directory = await directoryIn(root, 'huge')
  await using onDisk = await OwnRam.create(huge, directory)
  expect(onDisk.path).toBe(join(directory, 'ram'))
  await onDisk.keep(join(root, 'kept'))
  expect(await stat(join(root, 'kept'))).toMatchObject({ size: huge, blocks: 0 })
})

test('RAM in memory has no name that a crash could leave behind', async () => {
  const before = await readdir('/dev/shm')
  await using ram = await OwnRam.create(2 ** 20, await temporaryDirectory())
  await writeFile(ram.path, 'x', { flag: 'r+' })
  expect(await readdir('/dev/shm')).toEqual(before)
})

test.each([
  ['a balloon', ['-device', 'virtio-balloon-pci'], /^bare .* it has a balloon\n/],
  [
    'memory that comes and goes',
    [
      ...['-m', 'size=32M,slots=1,maxmem=256M'],
      ...['-object', 'memory-backend-ram,id=more,size=64M'],
      ...['-device', 'virtio-mem-pci,id=vm0,memdev=more,requested-size=0'],
    ],
    /^bare .* the memory device vm0 \(virtio-mem\)\n/,
  ],
])('%s is found and named, and nothing is kept', async (_, extraArgs, message) => {
  const root = await temporaryDirectory()
  await using machine = asDisposable(await capturable(root, { extraArgs }))
  const refusal = { code: 'SAVE_BLOCKED', message: expect.stringMatching(message) }
  await expect(forkBackend.requireSavable?.(machine)).rejects.toMatchObject(refusal)
  expect(await isRunning(machine.process)).toBe(true)
  const directory = await directoryIn(root, 'state')
  await expect(forkBackend.capture(machine, directory)).rejects.toMatchObject(refusal)
  expect(await readdir(directory)).toEqual([])
  expect(machine.process.running).toBe(false)
})

test('a machine that dies while it is captured leaves no state', async () => {
  const root = await temporaryDirectory()
  await using machine = asDisposable(await capturable(root))
  const directory = await directoryIn(root, 'state')
  machine.process.qmp.on('STOP', () => process.kill(machine.process.pid, 'SIGKILL'))
  await expect(forkBackend.capture(machine, directory)).rejects.toMatchObject({
    code: 'QMP_CONNECTION_LOST',
  })
  expect(await readdir(directory)).toEqual([])
})

test('device state that QEMU cannot load is told in its words', async () => {
  const root = await temporaryDirectory()
  const state = await captured(root)
  const devices = state.memory?.devices ?? ''
  const whole = await readFile(devices)
  await writeFile(devices, whole.subarray(0, whole.length / 2))
  const failure = { code: 'STATE_NOT_LOADED', message: expect.stringContaining(devices) }
  await expect(startFrom(state, 'test', root, 'one')).rejects.toMatchObject(failure)
  await rm(devices)
  await expect(startFrom(state, 'test', root, 'two')).rejects.toMatchObject(failure)
})

test('a state can be moved with what it stands on', async () => {
  const directory = await temporaryDirectory()
  const here = await directoryIn(directory, 'here')
  const state = await captured(here)
  const there = join(directory, 'there')
  await rename(here, there)
  const move = (path: string) => path.replace(here, there)
  const { ram = '', devices = '', snapshot = '', size = 0 } = state.memory ?? {}
  const moved = {
    ...state,
    disks: state.disks.map((disk) => ({ ...disk, file: move(disk.file) })),
    memory: { ram: move(ram), devices: move(devices), snapshot: move(snapshot), size },
  }
  const { process, prepared } = await startFrom(moved, 'test', there, 'one')
  expect(await read(process)).toEqual([0x11, 0x11, 0x11])
  await process.qmp.execute('stop')
  await prepared.rewind?.(process)
  expect(await read(process)).toEqual([0x11, 0x11, 0x11])
})
