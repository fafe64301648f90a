import { createHash } from 'node:crypto'
import { readdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { StateFiles } from '../../../src/backends/backend.js'
import { copyImage } from '../../../src/backends/copy-image.js'
import { requireSavable } from '../../../src/backends/live/blockers.js'
import { liveBackend } from '../../../src/backends/live/graph.js'
import { readQcow2Header } from '../../../src/qemu/qcow2/header.js'
import { temporaryDirectory } from '../../qemu/machine/bare-machine.js'
import {
  directoryIn,
  isRunning,
  launchOn,
  overlayDisks,
  read,
  startFrom,
  write,
} from '../live-machines.js'

/** A live state in `root/state`, of a machine whose firmware is done, and that has written 0x11. */
async function captured(root: string): Promise<StateFiles> {
  const disks = await overlayDisks(root)
  const process = await launchOn(disks)
  // Until then it fills RAM, and the sizes of states would differ for that.
  await vi.waitFor(
    async () => expect(await process.qmp.humanMonitor('info registers')).toContain('HLT=1'),
    { timeout: 20_000 },
  )
  await write(process, 0x11)
  const directory = await directoryIn(root, 'state')
  const state = await liveBackend.capture({ disks, process }, directory)
  expect(process.running).toBe(false)
  return state
}

async function hashes(state: StateFiles): Promise<string[]> {
  const contents = await Promise.all(state.disks.map(({ file }) => readFile(file)))
  return contents.map((content) => createHash('sha256').update(content).digest('hex'))
}

test('a captured machine goes on where it was, its disks and devices', async () => {
  const root = await temporaryDirectory()
  const state = await captured(root)
  expect(await readdir(join(root, 'work'))).toEqual([])
  const { process } = await startFrom(state, 'test', root, 'one')
  expect(await isRunning(process)).toBe(true)
  expect(await read(process)).toEqual([0x11, 0x11, 0x11])
})

test('rewinding undoes all changes, within the same process, as often as asked', async () => {
  const root = await temporaryDirectory()
  const { process, prepared } = await startFrom(await captured(root), 'test', root, 'one')
  for (const byte of [0x22, 0x33]) {
    await write(process, byte)
    expect(await read(process)).toEqual([byte, byte, byte])
    await prepared.rewind?.(process)
    expect(await isRunning(process)).toBe(true)
    expect(await read(process)).toEqual([0x11, 0x11, 0x11])
  }
  await process.qmp.execute('stop')
  await prepared.rewind?.(process)
  expect(await isRunning(process)).toBe(false)
})

test('a rewind that fails says why', async () => {
  const root = await temporaryDirectory()
  const { process, prepared } = await startFrom(await captured(root), 'test', root, 'one')
  await process.qmp.runJob('snapshot-delete', { tag: 'live', devices: ['disk-data'] })
  await expect(prepared.rewind?.(process)).rejects.toMatchObject({
    code: 'QMP_COMMAND_FAILED',
    message: expect.stringMatching(/^loadvm live: .*live/),
  })
})

test('port forwards that a test added are still listed after a rewind', async () => {
  const root = await temporaryDirectory()
  const { process, prepared } = await startFrom(await captured(root), 'test', root, 'one')
  const forward = await process.forwardPort(22)
  await prepared.rewind?.(process)
  expect(await process.portForwards()).toEqual([forward])
})

test('machines in one state do not see each other, and leave its files as they are', async () => {
  const root = await temporaryDirectory()
  const state = await captured(root)
  const before = await hashes(state)
  const [one, two] = await Promise.all([
    startFrom(state, 'test', root, 'one'),
    startFrom(state, 'test', root, 'two'),
  ])
  await write(one.process, 0x22)
  expect(await read(two.process)).toEqual([0x11, 0x11, 0x11])
  await one.prepared.rewind?.(one.process)
  expect(await hashes(state)).toEqual(before)
})

test('a state refers to its base by relative paths, and can be moved with it', async () => {
  const directory = await temporaryDirectory()
  const here = await directoryIn(directory, 'here')
  const state = await captured(here)
  const { backingFile } = await readQcow2Header(state.disks[0]?.file ?? '')
  expect(backingFile).toBe('../base/image.qcow2')
  const there = join(directory, 'there')
  await rename(here, there)
  const disks = state.disks.map((disk) => ({ ...disk, file: disk.file.replace(here, there) }))
  const { process } = await startFrom({ ...state, disks }, 'test', there, 'one')
  expect(await read(process)).toEqual([0x11, 0x11, 0x11])
})

test('a live child stands on the disk ancestor alone, and is no larger for its parent', async () => {
  const root = await temporaryDirectory()
  const parent = await captured(root)
  const { process, prepared } = await startFrom(parent, 'live', root, 'live')
  expect(await isRunning(process)).toBe(true)
  expect(prepared.rewind).toBeUndefined()
  await write(process, 0x22)
  const child = await liveBackend.capture(
    { disks: prepared.disks, process },
    await directoryIn(root, 'child'),
  )
  const header = await readQcow2Header(child.disks[0]?.file ?? '')
  expect(header).toMatchObject({ snapshotCount: 1, backingFile: '../base/image.qcow2' })
  const [parentSize, childSize] = await Promise.all(
    [parent, child].map(async ({ disks }) => (await stat(disks[0]?.file ?? '')).size),
  )
  expect((childSize ?? 0) / (parentSize ?? 0)).toBeLessThan(1.2)
  const { process: restored } = await startFrom(child, 'test', root, 'one')
  expect(await read(restored)).toEqual([0x22, 0x22, 0x22])
})

test('a machine whose drives cannot be saved is refused, by name, and nothing is left', async () => {
  const root = await temporaryDirectory()
  const disks = await overlayDisks(root)
  const raw = join(root, 'raw.img')
  await copyImage('/dev/null', raw)
  const stranger = join(root, 'base', 'data.qcow2')
  const process = await launchOn(disks.slice(0, 1), {
    extraArgs: [
      ...['-drive', `if=virtio,format=raw,file=${raw}`],
      ...['-drive', `if=virtio,format=qcow2,file=${stranger}`],
    ],
  })
  const refusal = {
    code: 'SAVE_BLOCKED',
    message: expect.stringMatching(
      /^bare .*raw\.img is writable and raw, not qcow2; .*data\.qcow2 is writable and not among/,
    ),
  }
  await expect(requireSavable(process.qmp, ['disk-image'], 'bare')).rejects.toMatchObject(refusal)
  expect(await isRunning(process)).toBe(true)
  const directory = await directoryIn(root, 'state')
  const machine = { disks: disks.slice(0, 1), process }
  await expect(liveBackend.capture(machine, directory)).rejects.toMatchObject(refusal)
  expect(await readdir(directory)).toEqual([])
  expect(process.running).toBe(false)
})

test('a device that QEMU cannot save is a blocker that is told', async () => {
  const root = await temporaryDirectory()
  const disks = (await overlayDisks(root)).slice(0, 1)
  const process = await launchOn(disks, {
    cpuModel: 'qemu64',
    extraArgs: ['-device', 'ivshmem-plain,memdev=m', '-object', 'memory-backend-ram,id=m,size=1M'],
  })
  await expect(requireSavable(process.qmp, ['disk-image'], 'bare')).rejects.toMatchObject({
    code: 'SAVE_BLOCKED',
  })
})

test('a machine that dies while it is captured leaves no state', async () => {
  const root = await temporaryDirectory()
  const disks = await overlayDisks(root)
  const machine = await launchOn(disks)
  const directory = await directoryIn(root, 'state')
  machine.qmp.on('JOB_STATUS_CHANGE', () => process.kill(machine.pid, 'SIGKILL'))
  await expect(liveBackend.capture({ disks, process: machine }, directory)).rejects.toMatchObject({
    code: 'QMP_CONNECTION_LOST',
  })
  expect(await readdir(directory)).toEqual([])
})

test('a state whose file is gone, or a disk that is full, is told', async () => {
  const root = await temporaryDirectory()
  const state: StateFiles = {
    liveness: 'live',
    backend: 'live',
    disks: [{ name: 'image', file: join(root, 'gone.qcow2'), format: 'qcow2' }],
  }
  await expect(liveBackend.prepare(state, 'test', root)).rejects.toMatchObject({
    code: 'IMAGE_MISSING',
  })
  const [disk] = await overlayDisks(root)
  await expect(copyImage(disk?.file ?? '', '/dev/full')).rejects.toMatchObject({
    code: 'DISK_FULL',
  })
  await expect(copyImage(disk?.file ?? '', '/proc/nowhere')).rejects.toMatchObject({
    code: 'ACCESS_DENIED',
  })
})
