import { execFileSync } from 'node:child_process'
import { link, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { externalBackend as external } from '../../../src/backends/external/external-backend.js'
import { readQcow2Header } from '../../../src/qemu/qcow2/header.js'
import { Images } from '../images.js'

let images: Images

beforeEach(async () => {
  images = await Images.open()
})

afterEach(() => images[Symbol.asyncDispose]())

const inode = async (file: string): Promise<number> => (await stat(file)).ino
const names = async (...files: string[]): Promise<string[]> =>
  (await external.show(images.target(...files))).map(({ name }) => name)

describe('one disk', () => {
  test('set renames the image and puts an overlay into its place', async () => {
    const file = images.create('a.qcow2', 1)
    const target = images.target(file)
    const before = await inode(file)
    await external.set(target, 'clean')
    expect(await images.files()).toEqual(['a.qcow2', 'a.qcow2.state.clean'])
    expect(await inode(`${file}.state.clean`)).toBe(before)
    expect(await readQcow2Header(file)).toMatchObject({
      backingFile: 'a.qcow2.state.clean',
      backingFormat: 'qcow2',
      virtualSize: 2 ** 20,
    })
    expect(await images.read(file)).toBe(1)
  })

  test('a chain of states is shown with its parents, and each can be restored', async () => {
    const file = images.create('a.qcow2', 1)
    const target = images.target(file)
    await external.set(target, 'one')
    images.write(file, 2)
    await external.set(target, 'two')
    images.write(file, 3)
    expect(await external.show(target)).toEqual([
      { name: 'one', liveness: 'disk', date: expect.any(Date), vmStateSize: 0 },
      { name: 'two', liveness: 'disk', date: expect.any(Date), vmStateSize: 0, parent: 'one' },
    ])
    for (const [name, content] of [
      ['one', 1],
      ['two', 2],
      ['one', 1],
    ] as const) {
      await external.get(target, name)
      expect(await images.read(file)).toBe(content)
      images.write(file, 9)
    }
    expect(await names(file)).toEqual(['one', 'two'])
  })

  test('the folder can be moved with all states in it', async () => {
    const file = images.create('a.qcow2', 1)
    await external.set(images.target(file), 'clean')
    images.write(file, 2)
    const moved = join(images.directory, 'moved')
    execFileSync('sh', ['-c', 'mkdir moved && mv a.qcow2* moved'], { cwd: images.directory })
    await external.get(images.target(join(moved, 'a.qcow2')), 'clean')
    expect(await images.read(join(moved, 'a.qcow2'))).toBe(1)
  })

  test('the overlay has the image’s permissions', async () => {
    const file = images.create('a.qcow2', 1)
    execFileSync('chmod', ['640', file])
    await external.set(images.target(file), 'clean')
    expect((await stat(file)).mode & 0o777).toBe(0o640)
  })

  test('names with a colon are no protocols', async () => {
    const file = images.create('a:b.qcow2', 1)
    await external.set(images.target(file), 'clean')
    images.write(file, 2)
    await external.get(images.target(file), 'clean')
    expect(await images.read(file)).toBe(1)
  })

  describe('a state that is set again', () => {
    test('while the image stands on it', async () => {
      const file = images.create('a.qcow2', 1)
      const target = images.target(file)
      await external.set(target, 'base')
      images.write(file, 2)
      await external.set(target, 'clean')
      execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 3 0 64k', file])
      await external.set(target, 'clean')
      images.write(file, 4)
      await external.get(target, 'clean')
      execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 2 0 64k', file])
      expect(await images.read(file)).toBe(2)
      expect(await names(file)).toEqual(['base', 'clean'])
      expect(await images.files()).toEqual(['a.qcow2', 'a.qcow2.state.base', 'a.qcow2.state.clean'])
    })

    test('while the image stands on another one', async () => {
      const file = images.create('a.qcow2', 1)
      const target = images.target(file)
      await external.set(target, 'one')
      images.write(file, 2)
      await external.set(target, 'two')
      await external.get(target, 'one')
      images.write(file, 3)
      await external.set(target, 'two')
      images.write(file, 4)
      await external.get(target, 'two')
      expect(await images.read(file)).toBe(3)
    })

    test('is refused while others stand on it, and nothing changes', async () => {
      const file = images.create('a.qcow2', 1)
      const target = images.target(file)
      await external.set(target, 'one')
      await external.set(target, 'two')
      const files = await images.files()
      await expect(external.set(target, 'one')).rejects.toMatchObject({
        code: 'STATE_HAS_CHILDREN',
        message: expect.stringContaining('"two" stands on the state "one"'),
      })
      expect(await images.files()).toEqual(files)
    })
  })

  describe('unset', () => {
    test('right after a get gives the image the state’s own file back', async () => {
      const file = images.create('a.qcow2', 1)
      const target = images.target(file)
      const before = await inode(file)
      await external.set(target, 'clean')
      images.write(file, 2)
      await external.get(target, 'clean')
      await external.unset(target, 'clean')
      expect(await images.files()).toEqual(['a.qcow2'])
      expect(await inode(file)).toBe(before)
      expect(await images.read(file)).toBe(1)
    })

    test('leaves an image that has changed with its content', async () => {
      const file = images.create('a.qcow2', 1)
      const target = images.target(file)
      await external.set(target, 'clean')
      execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 2 0 512k', file])
      await external.unset(target, 'clean')
      expect(await images.files()).toEqual(['a.qcow2'])
      execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 1 0 512k', file])
      expect(await images.read(file)).toBe(1)
    })

    test('does not mind a damaged image beside it, which stands on nothing', async () => {
      const file = images.create('a.qcow2', 1)
      await external.set(images.target(file), 'clean')
      await writeFile(join(images.directory, 'cut.qcow2'), 'QFI\xfb and nothing else', 'latin1')
      await external.unset(images.target(file), 'clean')
      expect(await images.files()).toEqual(['a.qcow2', 'cut.qcow2'])
    })

    test('is refused while states or other images stand on it', async () => {
      const file = images.create('a.qcow2', 1)
      const target = images.target(file)
      await external.set(target, 'one')
      await external.set(target, 'two')
      const other = join(images.directory, 'other.qcow2')
      execFileSync('qemu-img', [
        ...['create', '-q', '-f', 'qcow2', '-F', 'qcow2'],
        ...['-b', `${file}.state.two`, other],
      ])
      await expect(external.unset(target, 'one')).rejects.toMatchObject({
        code: 'STATE_HAS_CHILDREN',
        message: expect.stringContaining('"two" stands on the state "one"'),
      })
      await expect(external.unset(target, 'one', { withChildren: true })).rejects.toMatchObject({
        code: 'STATE_HAS_CHILDREN',
        message: expect.stringContaining('"other.qcow2" stands on the state "two"'),
      })
      expect(await names(file)).toEqual(['one', 'two'])
    })

    test('takes the states that stand on it along when told to', async () => {
      const file = images.create('a.qcow2', 1)
      const target = images.target(file)
      for (const name of ['one', 'two', 'three']) {
        await external.set(target, name)
        images.write(file, name.length)
      }
      await external.get(target, 'one')
      await external.set(target, 'side')
      await external.get(target, 'three')
      await external.unset(target, 'two', { withChildren: true })
      expect(await names(file)).toEqual(['one', 'side'])
      expect(await images.read(file)).toBe(3)
      await external.unset(target, 'one', { withChildren: true })
      expect(await images.files()).toEqual(['a.qcow2'])
      expect(await images.read(file)).toBe(3)
    })
  })

  test('a state that is not there is an error, and nothing changes', async () => {
    const file = images.create('a.qcow2', 1)
    const target = images.target(file)
    for (const tag of ['no', '', '../a.qcow2', 'x'.repeat(300)]) {
      await expect(external.get(target, tag)).rejects.toMatchObject({ code: 'STATE_MISSING' })
      await expect(external.unset(target, tag)).rejects.toMatchObject({ code: 'STATE_MISSING' })
      expect(await external.check(target, tag)).toBe(false)
    }
    expect(await images.files()).toEqual(['a.qcow2'])
  })

  test('symbolic and hard links, and images with a data file, are refused', async () => {
    const file = images.create('a.qcow2', 1)
    const [soft, hard] = [join(images.directory, 'soft'), join(images.directory, 'hard')]
    await symlink(file, soft)
    await expect(external.set(images.target(soft), 'x')).rejects.toThrow(/symbolic link/)
    await link(file, hard)
    await expect(external.set(images.target(file), 'x')).rejects.toThrow(/hard link/)
    const split = join(images.directory, 'split.qcow2')
    execFileSync('qemu-img', [
      ...['create', '-q', '-f', 'qcow2', '-o', `data_file=${split}.raw`, split, '1M'],
    ])
    await expect(external.set(images.target(split), 'x')).rejects.toMatchObject({
      code: 'IMAGE_UNSUPPORTED',
    })
  })
})

describe('several disks', () => {
  test('a state is what every disk has, whatever their order', async () => {
    const [a, b] = [images.create('a.qcow2', 1), images.create('b.qcow2', 2)]
    await external.set(images.target(a, b), 'both')
    await external.set(images.target(a), 'only-a')
    expect(await names(b, a)).toEqual(['both'])
    images.write(a, 3)
    images.write(b, 4)
    await external.get(images.target(b, a), 'both')
    expect([await images.read(a), await images.read(b)]).toEqual([1, 2])
    await external.unset(images.target(a, b), 'both', { withChildren: true })
    expect(await images.files()).toEqual(['a.qcow2', 'b.qcow2'])
    expect([await images.read(a), await images.read(b)]).toEqual([1, 2])
  })
})
