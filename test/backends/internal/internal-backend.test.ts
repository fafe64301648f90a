import { execFileSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { internalBackend as internal } from '../../../src/backends/internal/internal-backend.js'
import { Images } from '../images.js'

let images: Images

beforeEach(async () => {
  images = await Images.open()
})

afterEach(() => images[Symbol.asyncDispose]())

const qemuImg = (...args: string[]): string =>
  execFileSync('qemu-img', args, { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } })

/** Tags in the table of an image, by QEMU's JSON. */
function tags(file: string): string[] {
  const info = JSON.parse(qemuImg('info', '--output=json', '-U', '-f', 'qcow2', file))
  return (info.snapshots ?? []).map(({ name }: { name: string }) => name)
}

describe('one disk', () => {
  test('a state is set, shown, restored any number of times, and removed', async () => {
    const file = images.create('a.qcow2', 1)
    const target = images.target(file)
    expect(await internal.show(target)).toEqual([])
    await internal.set(target, 'one')
    images.write(file, 2)
    await internal.set(target, 'two')
    expect(await internal.show(target)).toEqual([
      { name: 'one', liveness: 'disk', date: expect.any(Date), vmStateSize: 0 },
      { name: 'two', liveness: 'disk', date: expect.any(Date), vmStateSize: 0 },
    ])
    expect(await images.read(file)).toBe(2)
    for (const content of [3, 4]) {
      images.write(file, content)
      await internal.get(target, 'one')
      expect(await images.read(file)).toBe(1)
    }
    await internal.unset(target, 'one')
    expect(await internal.check(target, 'one')).toBe(false)
    expect(await internal.check(target, 'two')).toBe(true)
    expect(await images.read(file)).toBe(1)
    expect(await images.files()).toEqual(['a.qcow2'])
  })

  test('a state that is set again has the new content, once', async () => {
    const file = images.create('a.qcow2', 1)
    const target = images.target(file)
    await internal.set(target, 'clean')
    images.write(file, 2)
    await internal.set(target, 'clean')
    images.write(file, 3)
    await internal.get(target, 'clean')
    expect(await images.read(file)).toBe(2)
    expect(tags(file)).toEqual(['clean'])
  })

  test.each([
    '2',
    '0 B',
    'two  spaces',
    ' leading',
    'trailing ',
    'tab\there',
    '日本語 🦊',
    '../x/y',
    '-l',
    '--help',
    'two\nlines',
    '1.5 GiB 2024-01-01 00:00:00 00:00:00.000',
  ])('the odd tag %j that an image has can be restored and removed', async (tag) => {
    const file = images.create('a.qcow2', 9)
    const target = images.target(file)
    // IDs 1 and 2; the tag "2" is not that of the snapshot whose ID is 2.
    qemuImg('snapshot', '-c', 'first', file)
    qemuImg('snapshot', '-c', 'second', file)
    images.write(file, 1)
    qemuImg('snapshot', '-c', tag, file)
    images.write(file, 2)
    expect((await internal.show(target)).map(({ name }) => name)).toContain(tag.trimEnd())
    await internal.get(target, tag)
    expect(await images.read(file)).toBe(1)
    await internal.unset(target, tag)
    expect(tags(file)).toEqual(['first', 'second'])
  })

  test('of two snapshots with one tag, as qemu-img makes them, the first is the state', async () => {
    const file = images.create('a.qcow2', 1)
    const target = images.target(file)
    qemuImg('snapshot', '-c', 'twice', file)
    images.write(file, 2)
    qemuImg('snapshot', '-c', 'twice', file)
    images.write(file, 3)
    await internal.get(target, 'twice')
    expect(await images.read(file)).toBe(1)
    expect((await internal.show(target)).map(({ name }) => name)).toEqual(['twice'])
    images.write(file, 4)
    await internal.set(target, 'twice')
    expect(tags(file)).toEqual(['twice'])
    await internal.get(target, 'twice')
    expect(await images.read(file)).toBe(4)
  })

  test('a state that is not there is an error, and nothing changes', async () => {
    const file = images.create('a.qcow2', 1)
    const target = images.target(file)
    await expect(internal.get(target, 'no')).rejects.toMatchObject({ code: 'STATE_MISSING' })
    await expect(internal.unset(target, 'no')).rejects.toMatchObject({ code: 'STATE_MISSING' })
    expect(await images.read(file)).toBe(1)
  })
})

describe('several disks', () => {
  test('a state is what every disk has, whatever their order', async () => {
    const [a, b] = [images.create('a.qcow2', 1), images.create('b.qcow2', 2)]
    await internal.set(images.target(a, b), 'both')
    await internal.set(images.target(a), 'only-a')
    expect((await internal.show(images.target(b, a))).map(({ name }) => name)).toEqual(['both'])
    expect(await internal.check(images.target(a, b), 'only-a')).toBe(false)
    images.write(a, 3)
    images.write(b, 4)
    await internal.get(images.target(b, a), 'both')
    expect([await images.read(a), await images.read(b)]).toEqual([1, 2])
    expect([tags(a), tags(b)]).toEqual([['both', 'only-a'], ['both']])
    await internal.unset(images.target(a, b), 'both')
    expect([tags(a), tags(b)]).toEqual([['only-a'], []])
  })
})
