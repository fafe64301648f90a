import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { modulesDep, readKernelModules } from '../../../src/images/tiny/kernel-modules.js'

let directory: string

function writeModule(name: string, depends: string): string {
  const file = join(directory, 'kernel', name)
  writeFileSync(file, `\x7fELF\0license=GPL\0depends=${depends}\0name=x\0`)
  return file
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'modules-'))
  mkdirSync(join(directory, 'kernel'))
  writeFileSync(join(directory, 'modules.builtin'), 'kernel/fs/ext4/ext4.ko\n')
  writeModule('ring.ko', '')
  writeModule('virtio.ko', 'ring')
  writeModule('virtio-pci.ko', 'virtio,ring')
})

afterEach(() => {
  rmSync(directory, { recursive: true })
})

test('modules come after what they depend on, and built-in ones not at all', async () => {
  const modules = await readKernelModules(directory, { needed: ['ext4', 'virtio_pci'] })
  expect(modules.map(({ name }) => name)).toEqual(['ring', 'virtio', 'virtio_pci'])
})

test('modules.dep names what is to be loaded first at the end of a line', async () => {
  const modules = await readKernelModules(directory, { needed: ['virtio_pci'] })
  expect(modulesDep(modules)).toBe(
    'ring.ko:\nvirtio.ko: ring.ko\nvirtio_pci.ko: virtio.ko ring.ko\n',
  )
})

test('compressed modules are unpacked', async () => {
  execFileSync('xz', [writeModule('packed.ko', 'ring')])
  const modules = await readKernelModules(directory, { needed: ['packed'] })
  expect(modules.map(({ name }) => name)).toEqual(['ring', 'packed'])
})

test('a module that is missing is an error if it is needed, and left out if it is wanted', async () => {
  await expect(readKernelModules(directory, { needed: ['nope'] })).rejects.toMatchObject({
    code: 'TINY_UNAVAILABLE',
    message: `${directory} has no kernel module nope`,
  })
  expect(await readKernelModules(directory, { needed: [], wanted: ['nope'] })).toEqual([])
})
