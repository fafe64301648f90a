import { execFileSync } from 'node:child_process'
import { link, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createOverlay } from '../../../src/qemu/qemu-img/create.js'
import { writeOverlays } from '../../../src/states/catalogue/write-overlays.js'

let directory: string
let pins = 0

const path = (name: string) => join(directory, name)

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'overlays-'))
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path('base'), '1M'])
  pins = 0
})

afterEach(() => rm(directory, { recursive: true }))

/** Makes two overlays, for two disks of a machine. */
function write({ second = 'base' } = {}): Promise<void> {
  const overlay = (name: string, base: string) =>
    ({
      file: path(name),
      create: (unfinished: string) =>
        createOverlay(unfinished, { file: path(base), format: 'qcow2' }),
    }) as const
  const pin = async () => {
    pins += 1
  }
  return writeOverlays([overlay('a.qcow2', 'base'), overlay('a-data.qcow2', second)], pin)
}

const files = async () => (await readdir(directory)).filter((name) => name !== 'base').sort()

test('overlays on several disks are made together', async () => {
  await write()
  expect(await files()).toEqual(['a-data.qcow2', 'a.qcow2'])
  for (const name of await files()) execFileSync('qemu-img', ['check', '-f', 'qcow2', path(name)])
  expect(pins).toBe(2)
})

test('what a killed call has left of them is replaced', async () => {
  await write()
  await link(path('a-data.qcow2'), path('.a-data.qcow2.unfinished'))
  await rm(path('a.qcow2'))
  await writeFile(path('.a.qcow2.unfinished'), 'half of it')
  await write()
  expect(await files()).toEqual(['a-data.qcow2', 'a.qcow2'])
  for (const name of await files()) execFileSync('qemu-img', ['check', '-f', 'qcow2', path(name)])
})

test.each(['a.qcow2', 'a-data.qcow2'])('%s of another stays, unpinned, and alone', async (name) => {
  await writeFile(path(name), 'mine')
  await expect(write()).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
  expect(await files()).toEqual([name])
  expect(await readFile(path(name), 'utf8')).toBe('mine')
  expect(pins).toBe(0)
})

test('none is made where one cannot be', async () => {
  await expect(write({ second: 'nothing' })).rejects.toMatchObject({ code: 'QEMU_IMG_FAILED' })
  expect(await files()).toEqual([])
})
