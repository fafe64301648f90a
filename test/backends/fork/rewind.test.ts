import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { StateFiles } from '../../../src/backends/backend.js'
import { forkBackend } from '../../../src/backends/fork/graph.js'
import { OwnRam } from '../../../src/backends/fork/own-ram.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'
import { firmwareReady, temporaryDirectory } from '../../qemu/machine/bare-machine.js'
import { directoryIn, launchOn, overlayDisks, read, startFrom, write } from '../live-machines.js'

const RAM_SIZE = 32 * 2 ** 20

/** A state in `root/state` that has 0x11 written. */
async function captured(root: string): Promise<StateFiles> {
  const disks = await overlayDisks(root)
  await using ram = await OwnRam.create(RAM_SIZE, root)
  const process = await launchOn(disks, { ram: { path: ram.path, shared: true } })
  await firmwareReady(process)
  await write(process, 0x11)
  return await forkBackend.capture({ disks, process, ram }, await directoryIn(root, 'state'))
}

/** A digest of all RAM of a stopped machine. */
async function digestOfRam({ qmp }: MachineProcess, root: string): Promise<string> {
  const filename = join(root, 'dump')
  await qmp.execute('pmemsave', { val: 0, size: RAM_SIZE, filename })
  return createHash('sha256')
    .update(await readFile(filename))
    .digest('hex')
}

/** Digests of all files of a state. */
async function digestsOf({ disks, memory }: StateFiles): Promise<string[]> {
  const { ram = '', devices = '', snapshot = '' } = memory ?? {}
  const files = [...disks.map(({ file }) => file), ram, devices, snapshot]
  const contents = await Promise.all(files.map((file) => readFile(file)))
  return contents.map((content) => createHash('sha256').update(content).digest('hex'))
}

test('a machine goes back to its state in the same process, as often as asked', async () => {
  const root = await temporaryDirectory()
  const state = await captured(root)
  const before = await digestsOf(state)
  const prepared = await forkBackend.prepare(state, 'test', await directoryIn(root, 'one'))
  const process = await launchOn(prepared.disks, { paused: true, ...prepared.launch })
  await prepared.load(process)
  const ram = await digestOfRam(process, root)
  for (const byte of [0x22, 0x33, 0x44]) {
    await process.qmp.execute('cont')
    await write(process, byte)
    await process.qmp.execute('system_reset')
    await firmwareReady(process)
    expect(await read(process)).toEqual([byte, byte, byte])
    await process.qmp.execute('stop')
    expect(await digestOfRam(process, root)).not.toBe(ram)
    await prepared.rewind?.(process)
    expect(await digestOfRam(process, root)).toBe(ram)
    expect(await read(process)).toEqual([0x11, 0x11, 0x11])
  }
  expect(await digestsOf(state)).toEqual(before)
})

test('only a machine for a test goes back, of a state whose RAM is a file of its own', async () => {
  const root = await temporaryDirectory()
  const state = await captured(root)
  const child = await startFrom(state, 'live', root, 'child')
  expect(child.prepared.rewind).toBeUndefined()
  const { process, prepared } = await startFrom(state, 'test', root, 'one')
  const { disks } = prepared
  const kept = await forkBackend.capture({ disks, process }, await directoryIn(root, 'kept'), root)
  expect(kept.memory?.snapshot).toBeUndefined()
  const again = await startFrom(kept, 'test', root, 'again')
  expect(again.prepared.rewind).toBeUndefined()
})
