import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { identifyImage } from '../../src/images/identify-image.js'
import { image } from '../../src/images/image.js'
import { resolveImage } from '../../src/images/resolve-image.js'
import { imageSchema } from '../../src/params/image.js'
import { runQemuImg } from '../../src/qemu/qemu-img/run.js'
import { sourceFile, startScript } from '../support/script.js'
import { fillImage, makeScratch, qemuImg, type Scratch } from './scratch.js'

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch()
})

afterEach(async () => {
  await scratch[Symbol.asyncDispose]()
})

const identify = (path: string, format?: 'qcow2' | 'raw') =>
  identifyImage(imageSchema.parse(image.file(path, format && { format })), scratch.store, {
    baseDirectory: scratch.directory,
  })

const resolveFile = (path: string, format?: 'qcow2' | 'raw') =>
  resolveImage(imageSchema.parse(image.file(path, format && { format })), scratch.store, {
    baseDirectory: scratch.directory,
  })

async function makeImage(name: string, pattern = 1): Promise<string> {
  const file = scratch.path(name)
  await qemuImg('create', '-q', '-f', 'qcow2', file, '16M')
  await fillImage(file, pattern)
  return file
}

/** Changes one byte of a file. */
async function patch(file: string, offset: number, byte: number): Promise<void> {
  const content = await readFile(file)
  content[offset] = byte
  await writeFile(file, content)
}

describe('image.file', () => {
  test('is used where it is, by a path relative to the definition', async () => {
    const file = await makeImage('disk.qcow2')
    const resolved = await resolveFile('./disk.qcow2')
    expect(resolved.disk).toEqual({ file, format: 'qcow2' })
    expect(resolved.identity).toBe(await identify(file))
    expect(resolved.objectId).toBeUndefined()
  })

  test('is the same image by its content, whatever its name', async () => {
    const one = await makeImage('one.qcow2')
    await qemuImg('convert', '-f', 'qcow2', '-O', 'qcow2', one, scratch.path('two.qcow2'))
    await qemuImg('convert', '-f', 'qcow2', '-O', 'qcow2', one, scratch.path('three.qcow2'))
    expect(await identify('two.qcow2')).toBe(await identify('three.qcow2'))
    await fillImage(scratch.path('three.qcow2'), 2)
    expect(await identify('two.qcow2')).not.toBe(await identify('three.qcow2'))
  })

  test('changes with a file under it', async () => {
    const base = await makeImage('base.qcow2')
    await qemuImg(
      'create',
      '-q',
      '-f',
      'qcow2',
      '-F',
      'qcow2',
      '-b',
      'base.qcow2',
      scratch.path('top.qcow2'),
    )
    const before = await identify('top.qcow2')
    expect(before).toMatch(/^chain:/)
    await fillImage(base, 7)
    expect(await identify('top.qcow2')).not.toBe(before)
  })

  test('is read once, until its inode, size or times change', async () => {
    const file = await makeImage('disk.qcow2')
    const digests = join(scratch.store.root, 'digests')
    const before = await identify(file)
    // It was written a moment ago, and could be again within the clock's grain.
    await expect(readdir(digests)).rejects.toThrow()
    const remembered = async () => {
      await identify(file)
      return readdir(digests).catch(() => [])
    }
    await expect.poll(remembered, { timeout: 5000, interval: 200 }).toHaveLength(1)
    const [name] = await readdir(digests)
    const path = join(digests, name ?? '')
    const [stamp] = (await readFile(path, 'utf8')).split('\n')
    await writeFile(path, `${stamp}\nremembered`)
    expect(await identify(file)).toBe('sha256:remembered')
    await fillImage(file, 3)
    expect(await identify(file)).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(await identify(file)).not.toBe(before)
  })

  test('is raw by its name or by word, never by a guess', async () => {
    await writeFile(scratch.path('disk.raw'), Buffer.alloc(512, 1))
    await writeFile(scratch.path('disk.img'), Buffer.alloc(512, 1))
    await writeFile(scratch.path('disk'), Buffer.alloc(512, 1))
    expect((await resolveFile('disk.raw')).disk.format).toBe('raw')
    expect((await resolveFile('disk.img')).disk.format).toBe('raw')
    expect((await resolveFile('disk', 'raw')).disk.format).toBe('raw')
    await expect(resolveFile('disk')).rejects.toMatchObject({
      code: 'IMAGE_FORMAT_UNCLEAR',
      message: expect.stringContaining("say so with format: 'raw'"),
    })
    await makeImage('cloud.img')
    expect((await resolveFile('cloud.img')).disk.format).toBe('qcow2')
  })

  test('that an ordinary user may not read is an error that says so', async () => {
    const file = await makeImage('disk.qcow2')
    await chmod(file, 0o000)
    await chmod(scratch.directory, 0o777)
    const source = `
      import { identifyImage } from '${sourceFile('images/identify-image.ts')}'
      import { openStore } from '${sourceFile('store/store.ts')}'
      const store = await openStore('${scratch.path('other-store')}')
      await identifyImage({ kind: 'file', path: '${file}' }, store).catch((error) => console.log(error.code, error.message))
      await store.close()`
    await using script = await startScript(source, [], { unprivileged: true })
    const { stdout } = await script.ended
    expect(stdout).toBe(`ACCESS_DENIED ${file} is not accessible for this user\n`)
  })

  test('that changes while it is read is an error', async () => {
    const file = scratch.path('large.raw')
    await writeFile(file, Buffer.alloc(200 * 2 ** 20, 1))
    const identified = identify(file)
    const writes = setInterval(() => void appendFile(file, 'x'), 1)
    await expect(identified.finally(() => clearInterval(writes))).rejects.toMatchObject({
      code: 'IMAGE_IN_USE',
      message: `${file} changed while it was read`,
    })
  })

  test('may be a symbolic link', async () => {
    const file = await makeImage('disk.qcow2')
    await symlink(file, scratch.path('link.qcow2'))
    expect(await identify('link.qcow2')).toBe(await identify(file))
  })
})

describe('a file that is no image', () => {
  let bad: Scratch

  beforeAll(async () => {
    bad = await makeScratch()
    const { path } = bad
    await mkdir(path('directory'))
    await writeFile(path('empty.raw'), '')
    await writeFile(path('zeros.raw'), Buffer.alloc(4096))
    for (const name of [
      'good.qcow2',
      'as.raw',
      'truncated.qcow2',
      'stub.qcow2',
      'encrypted.qcow2',
      'future.qcow2',
    ]) {
      await qemuImg('convert', '-f', 'raw', '-O', 'qcow2', path('zeros.raw'), path(name))
      await fillImage(path(name), 1, '4k')
    }
    // All of its metadata is there, but not all of its data.
    const { size } = await stat(path('truncated.qcow2'))
    await truncate(path('truncated.qcow2'), size - 65_536)
    await truncate(path('stub.qcow2'), 50)
    await patch(path('encrypted.qcow2'), 35, 1)
    await patch(path('future.qcow2'), 72, 0x80)
    const unsafe = ['create', '-q', '-f', 'qcow2', '-u', '-F', 'qcow2', '-b']
    const overlay = (backing: string, name: string) =>
      runQemuImg([...unsafe, backing, path(name), '1M'], name)
    await overlay('nbd://127.0.0.1:9/x', 'remote.qcow2')
    await overlay('gone.qcow2', 'orphan.qcow2')
    await overlay('circle.qcow2', 'circle.qcow2')
    const split = ['-o', `data_file=${path('data')}`, path('split.qcow2'), '1M']
    await runQemuImg(['create', '-q', '-f', 'qcow2', ...split], 'split.qcow2')
  })

  afterAll(async () => {
    await bad[Symbol.asyncDispose]()
  })

  test.each([
    ['missing.qcow2', undefined, 'IMAGE_MISSING', 'missing.qcow2 does not exist'],
    ['directory', undefined, 'IMAGE_UNSUPPORTED', 'directory is not a file'],
    ['empty.raw', undefined, 'IMAGE_DAMAGED', 'empty.raw is empty'],
    ['zeros.raw', 'qcow2', 'IMAGE_NOT_QCOW2', 'zeros.raw is not a qcow2 image'],
    ['good.qcow2', 'raw', 'IMAGE_FORMAT_UNCLEAR', 'good.qcow2 is to be raw, but starts as qcow2'],
    ['as.raw', undefined, 'IMAGE_FORMAT_UNCLEAR', 'as.raw is to be raw, but starts as qcow2'],
    ['truncated.qcow2', undefined, 'IMAGE_DAMAGED', 'truncated.qcow2 is truncated or corrupt'],
    ['stub.qcow2', undefined, 'IMAGE_DAMAGED', 'stub.qcow2 is truncated or corrupt'],
    ['remote.qcow2', undefined, 'IMAGE_UNSUPPORTED', 'a backing file that is not a file: nbd:'],
    ['orphan.qcow2', undefined, 'IMAGE_MISSING', 'gone.qcow2 does not exist'],
    ['circle.qcow2', undefined, 'IMAGE_UNSUPPORTED', 'circle.qcow2 is its own backing file'],
    ['encrypted.qcow2', undefined, 'IMAGE_UNSUPPORTED', 'encrypted.qcow2 is encrypted'],
    ['future.qcow2', undefined, 'IMAGE_UNSUPPORTED', 'features that are not known here: bits 63'],
    ['split.qcow2', undefined, 'IMAGE_UNSUPPORTED', 'split.qcow2 keeps its data in another file'],
  ] as const)('%s as %s is one clear error', async (name, format, code, message) => {
    const given = imageSchema.parse(image.file(bad.path(name), format && { format }))
    await expect(resolveImage(given, bad.store)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    })
  })
})
