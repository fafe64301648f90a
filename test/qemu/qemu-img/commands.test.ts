import { execFileSync, spawnSync } from 'node:child_process'
import { open, readFile, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readQcow2Header } from '../../../src/qemu/qcow2/header.js'
import { hasOwnData } from '../../../src/qemu/qcow2/own-data.js'
import { check } from '../../../src/qemu/qemu-img/check.js'
import { convert } from '../../../src/qemu/qemu-img/convert.js'
import { createBlank, createOverlay } from '../../../src/qemu/qemu-img/create.js'
import { info } from '../../../src/qemu/qemu-img/info.js'
import { changeBackingPath, rebase } from '../../../src/qemu/qemu-img/rebase.js'
import { Images } from '../../backends/images.js'

let images: Images

beforeEach(async () => {
  images = await Images.open()
})

afterEach(() => images[Symbol.asyncDispose]())

const at = (name: string): string => join(images.directory, name)

describe('createOverlay', () => {
  test('the overlay shows what is under it and has nothing of its own until it is written', async () => {
    const base = images.create('base.qcow2', 1)
    await createOverlay(at('o.qcow2'), { file: base, format: 'qcow2' })
    expect(await images.read(at('o.qcow2'))).toBe(1)
    expect(await hasOwnData(at('o.qcow2'))).toBe(false)
    images.write(at('o.qcow2'), 2)
    expect(await hasOwnData(at('o.qcow2'))).toBe(true)
    expect(await images.read(base)).toBe(1)
  })

  test('with a size, the backing file need not be there yet', async () => {
    const backing = { file: 'later.qcow2', format: 'qcow2', virtualSize: 2 ** 20 } as const
    await createOverlay(at('o.qcow2'), backing)
    images.create('later.qcow2', 3)
    expect(await images.read(at('o.qcow2'))).toBe(3)
  })

  test('a backing file is an error that names the overlay if it is missing', async () => {
    const backing = { file: 'no.qcow2', format: 'qcow2' } as const
    await expect(createOverlay(at('o.qcow2'), backing)).rejects.toMatchObject({
      code: 'QEMU_IMG_FAILED',
      message: expect.stringContaining('o.qcow2'),
    })
  })
})

test('a snapshot makes an image one with data of its own', async () => {
  await createBlank(at('a.qcow2'), 2 ** 20)
  expect(await hasOwnData(at('a.qcow2'))).toBe(false)
  execFileSync('qemu-img', ['snapshot', '-c', 'x', at('a.qcow2')])
  expect(await hasOwnData(at('a.qcow2'))).toBe(true)
})

test('rebase copies what its guest would miss; changeBackingPath copies nothing', async () => {
  const base = images.create('base.qcow2', 1)
  await createOverlay(at('a.qcow2'), { file: base, format: 'qcow2' })
  await createOverlay(at('b.qcow2'), { file: base, format: 'qcow2' })
  await rebase(at('a.qcow2'), undefined)
  expect(await readQcow2Header(at('a.qcow2'))).not.toHaveProperty('backingFile')
  expect(await images.read(at('a.qcow2'))).toBe(1)
  await changeBackingPath(at('b.qcow2'), { file: 'base.qcow2', format: 'qcow2' })
  expect(await readQcow2Header(at('b.qcow2'))).toMatchObject({ backingFile: 'base.qcow2' })
  expect(await hasOwnData(at('b.qcow2'))).toBe(false)
})

test('convert flattens a chain', async () => {
  const base = images.create('base.qcow2', 7)
  await createOverlay(at('o.qcow2'), { file: base, format: 'qcow2' })
  await convert({ from: at('o.qcow2'), fromFormat: 'qcow2', to: at('o.raw'), toFormat: 'raw' })
  expect((await readFile(at('o.raw'))).equals(Buffer.alloc(2 ** 20, 7))).toBe(true)
})

test('info never probes: a raw image that looks like qcow2 is raw', async () => {
  const file = images.create('a.qcow2', 1)
  expect(await info(file, 'raw')).toMatchObject({ format: 'raw' })
  expect(await info(file, 'qcow2')).toMatchObject({ format: 'qcow2', 'virtual-size': 2 ** 20 })
})

describe('check', () => {
  test('a sound image passes, and one with leaked clusters too', async () => {
    const file = images.create('a.qcow2', 1)
    await check(file)
    const { size } = await stat(file)
    await truncate(file, size + 65536)
    await overwrite(file, 0x20000 + (2 * size) / 65536, [0, 1])
    expect(spawnSync('qemu-img', ['check', '-q', file]).status).toBe(3)
    await check(file)
  })

  test('a broken refcount is damage', async () => {
    const file = images.create('a.qcow2', 1)
    await overwrite(file, 0x20000, [0, 0, 0, 0, 0, 0])
    await expect(check(file)).rejects.toMatchObject({ code: 'IMAGE_DAMAGED' })
  })
})

async function overwrite(file: string, position: number, bytes: readonly number[]): Promise<void> {
  await using handle = await open(file, 'r+')
  await handle.write(Buffer.from(bytes), 0, bytes.length, position)
}
