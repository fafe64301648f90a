import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { StateFiles } from '../../../src/backends/backend.js'
import { externalBackend } from '../../../src/backends/external/graph.js'
import type { Disk } from '../../../src/qemu/machine/launch-options.js'
import { readQcow2Header } from '../../../src/qemu/qcow2/header.js'
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

/** A state with a writable disk and a read-only one, in a folder of its own. */
async function parentState(): Promise<StateFiles> {
  await folder('parent')
  return {
    liveness: 'disk',
    backend: 'image',
    disks: [
      { name: 'system', file: images.create('parent/system.qcow2', 1), format: 'qcow2' },
      { name: 'tools', file: images.create('tools.qcow2', 5), format: 'qcow2', readOnly: true },
    ],
  }
}

async function launch(disks: readonly Disk[]): ReturnType<typeof launchBare> {
  const machine = await launchBare({ disks })
  onTestFinished(() => machine.close())
  await firmwareReady(machine)
  return machine
}

describe('prepare', () => {
  test('gives each machine overlays of its own, and leaves read-only disks and the state alone', async () => {
    const state = await parentState()
    const [one, two] = [await folder('one'), await folder('two')]
    const first = await externalBackend.prepare(state, 'test', one)
    const second = await externalBackend.prepare(state, 'test', two)
    expect(first.disks).toEqual([
      { name: 'system', file: join(one, 'system.qcow2'), format: 'qcow2' },
      state.disks[1],
    ])
    images.write(join(one, 'system.qcow2'), 2)
    expect(await images.read(join(two, 'system.qcow2'))).toBe(1)
    expect(second.launch).toEqual({})
  })

  test('a state whose file is gone is an error', async () => {
    const disks: Disk[] = [{ name: 'system', file: '/no/system.qcow2', format: 'qcow2' }]
    const state: StateFiles = { liveness: 'disk', backend: 'external', disks }
    await expect(externalBackend.prepare(state, 'test', await folder('one'))).rejects.toMatchObject(
      { code: 'IMAGE_MISSING' },
    )
  })
})

describe('capture', () => {
  test('keeps the overlay of a guest that has shut down, on a relative path to its parent', async () => {
    const state = await parentState()
    const { disks } = await externalBackend.prepare(state, 'disk', await folder('work'))
    images.write(disks[0]?.file ?? '', 2)
    const process = await launch(disks)
    await process.qmp.humanMonitor(POWER_OFF)
    const directory = await folder('child')
    const captured = await externalBackend.capture({ disks, process }, directory)
    const file = join(directory, 'system.qcow2')
    expect(captured).toEqual({
      liveness: 'disk',
      backend: 'external',
      disks: [{ name: 'system', file, format: 'qcow2' }, state.disks[1]],
    })
    expect(await readQcow2Header(file)).toMatchObject({ backingFile: '../parent/system.qcow2' })
    expect(await images.read(file)).toBe(2)
    expect(await readdir(join(images.directory, 'work'))).not.toContain('system.qcow2')
  })

  test('a machine that ended otherwise is no state, and leaves nothing', async () => {
    const { disks } = await externalBackend.prepare(await parentState(), 'disk', await folder('w'))
    const process = await launch(disks)
    process.qmp.execute('quit').catch(() => {})
    const directory = await folder('child')
    await expect(externalBackend.capture({ disks, process }, directory)).rejects.toMatchObject({
      code: 'GUEST_NOT_SHUT_DOWN',
    })
    expect(await readdir(directory)).toEqual([])
  })

  test('of several disks, the last of which is gone, keeps none', async () => {
    const { disks } = await externalBackend.prepare(await parentState(), 'disk', await folder('w'))
    const process = await launch(disks)
    await process.qmp.humanMonitor(POWER_OFF)
    const directory = await folder('child')
    const gone: Disk = { name: 'gone', file: '/no/gone.qcow2', format: 'qcow2' }
    const machine = { disks: [...disks, gone], process }
    await expect(externalBackend.capture(machine, directory)).rejects.toMatchObject({
      code: 'IMAGE_MISSING',
    })
    expect(await readdir(directory)).toEqual([])
  })
})
