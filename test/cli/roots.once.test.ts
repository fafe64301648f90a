import { stat, truncate, writeFile } from 'node:fs/promises'
import { execa } from 'execa'
import { beforeEach, describe, expect, test } from 'vitest'
import { json, useWorkplace } from './states-command.js'

const place = useWorkplace()
let disk: string

beforeEach(async () => {
  disk = place.path('disk.qcow2')
  await create(disk)
})

/** A qcow2 image of 1 MiB, full of ones. */
async function create(file: string): Promise<void> {
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', file, '1M'])
  await execa('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 1 0 1M', file])
}

/** Whether a guest would still see the ones. */
async function isUntouched(file: string): Promise<boolean> {
  const args = ['-r', '-U', '-f', 'qcow2', '-c', 'read -q -P 1 0 1M', file]
  const { exitCode, stdout } = await execa('qemu-io', args, { reject: false })
  return exitCode === 0 && !stdout.includes('Pattern verification failed')
}

const exists = (file: string) =>
  stat(file).then(
    () => true,
    () => false,
  )

const force = ['--on-exists', 'force'] as const

describe('states check IMAGE root', () => {
  test('is true for an image, also one of several disks', async () => {
    expect(await place.states(['check', disk, 'root'])).toEqual({
      exitCode: 0,
      stdout: `${disk} has state "root"`,
      stderr: '',
    })
    const other = place.path('other.qcow2')
    expect((await place.states(['check', disk, 'root', '--disk', other])).exitCode).toBe(1)
  })

  test('is false where there is none', async () => {
    expect((await place.states(['check', place.path('other.qcow2'), 'root'])).exitCode).toBe(1)
  })

  test.each<[string, (file: string) => Promise<unknown>]>([
    ['no qcow2 image', (file) => writeFile(file, 'text')],
    ['a truncated one', (file) => create(file).then(() => truncate(file, 65536))],
  ])('is false where there is %s, and says why', async (_, make) => {
    const file = place.path('other.qcow2')
    await make(file)
    expect(await place.states(['check', file, 'root'])).toEqual({
      exitCode: 1,
      stdout: expect.stringMatching(/ has no state "root" \(.*other\.qcow2.*\)$/),
      stderr: '',
    })
  })
})

describe('states get IMAGE root', () => {
  test('leaves an image as it is, as the policies say', async () => {
    expect(await place.states(['get', disk, 'root'])).toMatchObject({
      exitCode: 0,
      stdout: `${disk} stays as it is`,
    })
    expect((await place.states(['get', disk, 'root', '--on-exists', 'abort'])).exitCode).toBe(1)
    expect(await isUntouched(disk)).toBe(true)
  })

  test('refuses an image that is missing, and makes none', async () => {
    const file = place.path('other.qcow2')
    const { exitCode, stderr } = await place.states(['get', file, 'root'])
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringMatching(/^error STATE_MISSING: .*other\.qcow2/),
    })
    expect((await place.states(['get', file, 'root', '--on-missing', 'ignore'])).exitCode).toBe(0)
    expect(await exists(file)).toBe(false)
  })
})

describe('states set IMAGE root', () => {
  test('makes a blank image, of a size that must be given', async () => {
    const file = place.path('other.qcow2')
    for (const [code, ...size] of [['USAGE'], ['INVALID_VALUE', '--size', '8 GB']]) {
      const { exitCode, stderr } = await place.states(['set', file, 'root', ...size])
      expect({ exitCode, stderr }).toEqual({
        exitCode: 2,
        stderr: expect.stringMatching(new RegExp(`^error ${code}: `)),
      })
    }
    const set = ['set', file, 'root', '--size', '1 GiB', '--json']
    expect(json(await place.states(set))).toEqual({
      outcome: 'created',
      state: 'root',
      backend: 'image',
      image: file,
    })
    const { stdout } = await execa('qemu-img', ['info', '--output=json', file])
    expect(JSON.parse(stdout)).toMatchObject({ format: 'qcow2', 'virtual-size': 2 ** 30 })
  })

  test('replaces an image only by force, and never one that has states', async () => {
    const set = ['set', disk, 'root', '--size', '1048576']
    const refused = await place.states(set)
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toMatch(/^error STATE_EXISTS: .*\n.*--on-exists force/)
    const other = place.path('other.qcow2')
    expect((await place.states([...set, '--disk', other])).exitCode).toBe(1)
    expect((await place.states([...set, '--on-exists', 'reuse'])).exitCode).toBe(0)
    await place.states(['set', disk, 'clean', '--backend', 'internal'])
    expect((await place.states([...set, ...force])).stderr).toContain('STATE_HAS_CHILDREN')
    expect(await isUntouched(disk)).toBe(true)
    expect(await exists(other)).toBe(false)
    await place.states(['unset', disk, 'clean'])
    expect((await place.states([...set, ...force])).stdout).toBe(`${disk} is blank now`)
    expect(await isUntouched(disk)).toBe(false)
  })

  test('is the only set that takes a size', async () => {
    const { exitCode, stderr } = await place.states(['set', disk, 'clean', '--size', '1 GiB'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining('--size') })
  })
})

describe('states unset IMAGE root', () => {
  test('removes an image only by force, and its states only when told', async () => {
    await place.states(['set', disk, 'clean'])
    const unset = ['unset', disk, 'root']
    expect((await place.states(unset)).stderr).toMatch(/^error STATE_EXISTS: /)
    expect((await place.states([...unset, '--with-children'])).exitCode).toBe(1)
    expect((await place.states([...unset, ...force])).stderr).toContain('STATE_HAS_CHILDREN')
    expect(await isUntouched(disk)).toBe(true)
    const { stdout } = await place.states([...unset, ...force, '--with-children'])
    expect(stdout).toBe(`${disk} is removed`)
    expect([await exists(disk), await exists(`${disk}.state.clean`)]).toEqual([false, false])
    expect((await place.states(unset)).stdout).toContain('nothing done')
  })

  test('refuses an image under another one', async () => {
    const overlay = ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', disk]
    await execa('qemu-img', [...overlay, place.path('overlay.qcow2')])
    for (const command of [
      ['unset', disk, 'root', '--with-children'],
      ['set', disk, 'root', '--size', '1 MiB'],
    ]) {
      const { exitCode, stderr } = await place.states([...command, ...force])
      expect({ exitCode, stderr }).toEqual({
        exitCode: 1,
        stderr: expect.stringMatching(/STATE_HAS_CHILDREN: .*overlay\.qcow2 stands on .*disk/),
      })
    }
    expect(await isUntouched(disk)).toBe(true)
  })
})

test('a state that another tool has called root is a state', async () => {
  await execa('qemu-img', ['snapshot', '-c', 'root', disk])
  await execa('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 2 0 1M', disk])
  expect((await place.states(['get', disk, 'root'])).stdout).toBe(`${disk} is back at "root"`)
  expect(await isUntouched(disk)).toBe(true)
  expect((await place.states(['unset', disk, 'root'])).exitCode).toBe(0)
  expect(await isUntouched(disk)).toBe(true)
})

test('an image cannot be pushed or popped as root', async () => {
  expect((await place.states(['push', disk, 'root'])).stderr).toContain('INVALID_NAME')
  expect((await place.states(['pop', disk, 'root'])).stderr).toContain('STATE_MISSING')
  expect(await isUntouched(disk)).toBe(true)
})
