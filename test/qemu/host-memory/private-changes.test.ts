import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { undoPrivateChanges } from '../../../src/qemu/host-memory/private-changes.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'
import { launchBare, temporaryDirectory } from '../../qemu/machine/bare-machine.js'

const MIB = 2 ** 20
const SIZE = 32 * MIB
/** Where QEMU has written 6 MiB to RAM that was mapped privately: more than is copied at once. */
const WRITTEN = { at: 16 * MIB, length: 6 * MIB }
const BLOB = Buffer.alloc(WRITTEN.length, 0xff)

/** Of a machine whose RAM file has a byte in each page. */
async function machineThatWrote(root: string): Promise<{ process: MachineProcess; file: string }> {
  const [file, blob] = [join(root, 'ram'), join(root, 'blob')]
  const content = Buffer.alloc(SIZE)
  for (let page = 0; page < SIZE; page += 4096) content[page] = 1 + ((page / 4096) % 255)
  await writeFile(file, content)
  await writeFile(blob, BLOB)
  const process = await launchBare({
    paused: true,
    memory: SIZE,
    ram: { path: file, shared: false },
    extraArgs: ['-device', `loader,file=${blob},addr=${WRITTEN.at},force-raw=on`],
  })
  onTestFinished(() => process.close())
  return { process, file }
}

/** What the machine sees where it was written to. */
async function seen({ qmp }: MachineProcess, root: string): Promise<Buffer> {
  const filename = join(root, 'dump')
  await qmp.execute('pmemsave', { val: WRITTEN.at, size: WRITTEN.length, filename })
  return await readFile(filename)
}

test('a process sees again what is in the file that it has mapped', async () => {
  const root = await temporaryDirectory()
  const { process, file } = await machineThatWrote(root)
  expect((await seen(process, root)).equals(BLOB)).toBe(true)
  expect(await undoPrivateChanges(process.pid, file, 8 * MIB)).toBe(true)
  const content = await readFile(file)
  const original = content.subarray(WRITTEN.at, WRITTEN.at + WRITTEN.length)
  expect((await seen(process, root)).equals(original)).toBe(true)
  expect(content[WRITTEN.at]).not.toBe(0xff)
})

test('more than is allowed is left as it is', async () => {
  const root = await temporaryDirectory()
  const { process, file } = await machineThatWrote(root)
  expect(await undoPrivateChanges(process.pid, file, 5 * MIB)).toBe(false)
  expect((await seen(process, root)).equals(BLOB)).toBe(true)
})

test('a file that is not mapped, and a process that is gone, are refused', async () => {
  const root = await temporaryDirectory()
  const { process } = await machineThatWrote(root)
  const other = join(root, 'other')
  await (await open(other, 'w')).close()
  await expect(undoPrivateChanges(process.pid, other, SIZE)).rejects.toThrow('has not mapped')
  await process.close()
  await expect(undoPrivateChanges(process.pid, other, SIZE)).rejects.toThrow('ENOENT')
})
