import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { StateFiles } from '../../../src/backends/backend.js'
import { externalBackend } from '../../../src/backends/external/graph.js'
import { internalBackend } from '../../../src/backends/internal/graph.js'
import type { Disk } from '../../../src/qemu/machine/launch-options.js'
import { readQcow2Header } from '../../../src/qemu/qcow2/header.js'
import { snapshotList } from '../../../src/qemu/qemu-img/snapshots.js'
import { firmwareReady, launchBare, POWER_OFF } from '../../qemu/machine/bare-machine.js'
import { Images } from '../images.js'

let images: Images

beforeEach(async () => {
  images = await Images.open()
})

afterEach(() => images[Symbol.asyncDispose]())

async function folder(name: string): Promise<string> {
  const path = join(images.directory, name)
  await mkdir(path)
  return path
}

/** A root with two writable disks and a read-only one, in a folder of its own. */
async function root(): Promise<StateFiles> {
  await folder('root')
  const disk = (name: string, content: number): Disk => ({
    name,
    file: images.create(`root/${name}.qcow2`, content),
    format: 'qcow2',
  })
  const disks = [disk('system', 1), disk('data', 1), { ...disk('tools', 5), readOnly: true }]
  return { liveness: 'disk', backend: 'image', disks }
}

async function launch(disks: readonly Disk[]): ReturnType<typeof launchBare> {
  const machine = await launchBare({ disks })
  onTestFinished(() => machine.close())
  await firmwareReady(machine)
  return machine
}

const fileOf = ({ disks }: Pick<StateFiles, 'disks'>, index = 0): string => disks[index]?.file ?? ''

/** Writes to both disks of a prepared machine, as its guest would, and keeps them as a state. */
async function capture(disks: readonly Disk[], content: number, name: string): Promise<StateFiles> {
  for (const { file, readOnly } of disks) if (!readOnly) images.write(file, content)
  const process = await launch(disks)
  await process.qmp.humanMonitor(POWER_OFF)
  return internalBackend.capture({ disks, process }, await folder(name))
}

async function child(): Promise<StateFiles> {
  const { disks } = await externalBackend.prepare(await root(), 'disk', await folder('work'))
  return capture(disks, 2, 'child')
}

describe('capture', () => {
  test('keeps each overlay with one snapshot, on a relative path to its parent', async () => {
    const state = await child()
    expect(state).toMatchObject({ liveness: 'disk', backend: 'internal' })
    expect(await readdir(join(images.directory, 'child'))).toEqual(['data.qcow2', 'system.qcow2'])
    expect(await readdir(join(images.directory, 'work'))).toEqual([])
    for (const { file, readOnly } of state.disks) {
      if (readOnly) continue
      const { backingFile } = await readQcow2Header(file)
      expect(backingFile).toBe(`../root/${file.split('/').at(-1)}`)
      expect(await snapshotList(file)).toMatchObject([{ id: '1', tag: 'state', vmStateSize: 0 }])
    }
    expect(state.disks[2]).toMatchObject({ file: join(images.directory, 'root/tools.qcow2') })
  })

  test('leaves nothing of a machine that did not shut down, or of a disk that is gone', async () => {
    const { disks } = await externalBackend.prepare(await root(), 'disk', await folder('work'))
    const ended = await launch(disks)
    ended.qmp.execute('quit').catch(() => {})
    const directory = await folder('state')
    await expect(internalBackend.capture({ disks, process: ended }, directory)).rejects.toThrow(
      expect.objectContaining({ code: 'GUEST_NOT_SHUT_DOWN' }),
    )
    const process = await launch(disks)
    await process.qmp.humanMonitor(POWER_OFF)
    const gone: Disk = { name: 'gone', file: '/no/gone.qcow2', format: 'qcow2' }
    const machine = { disks: [...disks, gone], process }
    await expect(internalBackend.capture(machine, directory)).rejects.toMatchObject({
      code: 'QEMU_IMG_FAILED',
    })
    expect(await readdir(directory)).toEqual([])
  })
})

describe('prepare', () => {
  test('gives each machine copies at the snapshot, and leaves the state alone', async () => {
    const state = await child()
    const before = await readFile(fileOf(state))
    const one = await internalBackend.prepare(state, 'test', await folder('one'))
    const two = await internalBackend.prepare(state, 'test', await folder('two'))
    expect(one.disks[2]).toEqual(state.disks[2])
    images.write(fileOf(one), 3)
    expect([await images.read(fileOf(two)), await images.read(fileOf(two, 1))]).toEqual([2, 2])
    expect((await readFile(fileOf(state))).equals(before)).toBe(true)
    images.write(fileOf(state), 9)
    const again = await internalBackend.prepare(state, 'test', await folder('three'))
    expect(await images.read(fileOf(again))).toBe(2)
  })

  test('a child stands on what its parent stands on, and has one snapshot', async () => {
    const { disks } = await internalBackend.prepare(await child(), 'disk', await folder('again'))
    const grandchild = await capture(disks, 4, 'grandchild')
    expect(await readQcow2Header(fileOf(grandchild))).toMatchObject({
      backingFile: '../root/system.qcow2',
      snapshotCount: 1,
    })
    expect(await images.read(fileOf(grandchild))).toBe(4)
  })

  test('a state whose file is gone is an error', async () => {
    const disks: Disk[] = [{ name: 'system', file: '/no/system.qcow2', format: 'qcow2' }]
    const state: StateFiles = { liveness: 'disk', backend: 'internal', disks }
    await expect(internalBackend.prepare(state, 'test', await folder('one'))).rejects.toMatchObject(
      { code: 'IMAGE_MISSING' },
    )
  })
})
