import { copyFile, lstat, readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { execa } from 'execa'
import { beforeEach, describe, expect, test } from 'vitest'
import { json, useWorkplace } from './states-command.js'

const place = useWorkplace()
let disk: string

beforeEach(async () => {
  disk = await createDisk('disk.qcow2', 1)
})

/** A qcow2 image of 1 MiB that holds one byte, over and over. */
async function createDisk(name: string, content: number): Promise<string> {
  const file = place.path(name)
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', file, '1M'])
  await fill(file, content)
  return file
}

/** What a guest would do. */
async function fill(file: string, content: number): Promise<void> {
  await execa('qemu-io', ['-f', 'qcow2', '-c', `write -q -P ${content} 0 1M`, file])
}

/** Whether a guest would see nothing but this byte. */
async function holds(file: string, content: number): Promise<boolean> {
  const pattern = ['-r', '-U', '-f', 'qcow2', '-c', `read -q -P ${content} 0 1M`]
  const { exitCode, stdout } = await execa('qemu-io', [...pattern, file], { reject: false })
  return exitCode === 0 && !stdout.includes('Pattern verification failed')
}

const names = async (file = disk) => {
  const { states } = json(await place.states(['show', file, '--json'])) as {
    states: { name: string }[]
  }
  return states.map(({ name }) => name)
}

describe.each(['internal', 'external'])('states with the backend %s', (backend) => {
  const run = (...args: string[]) => place.states([...args, '--backend', backend])

  test('sets a state, and gets it back after the image was changed', async () => {
    expect(await run('set', disk, 'clean')).toEqual({
      exitCode: 0,
      stdout: `${disk} has the new state "clean"`,
      stderr: '',
    })
    expect(await holds(disk, 1)).toBe(true)
    await fill(disk, 2)
    expect(await run('get', disk, 'clean')).toMatchObject({
      exitCode: 0,
      stdout: `${disk} is back at "clean"`,
    })
    expect(await holds(disk, 1)).toBe(true)
  })

  test('works on the file that a symbolic link leads to', async () => {
    const link = place.path('link.qcow2')
    await symlink(disk, link)
    expect(await run('set', link, 'clean')).toMatchObject({ exitCode: 0 })
    expect(await names(link)).toEqual(['clean'])
    await fill(disk, 2)
    expect(await run('get', link, 'clean')).toMatchObject({ exitCode: 0 })
    expect(await holds(disk, 1)).toBe(true)
    expect((await lstat(link)).isSymbolicLink()).toBe(true)
  })

  test('prints no control characters of a path or a tag', async () => {
    const odd = await createDisk('odd\x1b[31m.qcow2', 1)
    const shown = odd.replace('\x1b', '\\u{1b}')
    expect((await run('show', odd)).stdout).toBe(`${shown} has no states`)
    expect((await run('set', odd, 'clean')).stdout).toBe(`${shown} has the new state "clean"`)
    expect((await run('check', odd, 'a\x9bb')).stdout).toBe(`${shown} has no state "a\\u{9b}b"`)
    expect((await run('get', odd, 'a\x9bb')).stderr).toBe(
      `error STATE_MISSING: ${shown}: no state "a\\u{9b}b"\n  See which there are: states show ${shown}`,
    )
  })

  test('finds the backend that has a state', async () => {
    await run('set', disk, 'clean')
    await fill(disk, 2)
    expect((await place.states(['get', disk, 'clean'])).exitCode).toBe(0)
    expect(await holds(disk, 1)).toBe(true)
    expect((await place.states(['unset', disk, 'clean'])).stdout).toContain('no longer has "clean"')
  })

  test('shows the states as a table, and as JSON', async () => {
    expect((await run('show', disk)).stdout).toBe(`${disk} has no states`)
    await run('set', disk, 'clean')
    await run('set', disk, 'later')
    const { stdout, exitCode } = await run('show', disk)
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^STATE +BACKEND +KIND +RAM +SET ON +STANDS ON\n/)
    expect(stdout).toMatch(new RegExp(`^clean +${backend} +disk +- +\\d{4}-\\d\\d-\\d\\d `, 'm'))
    const { states } = json(await run('show', disk, 'later', '--json')) as { states: object[] }
    expect(states).toHaveLength(1)
    expect(states[0]).toMatchObject({ name: 'later', backend, liveness: 'disk', vmStateSize: 0 })
  })

  test('checks a state with its exit code, and changes nothing', async () => {
    await run('set', disk, 'clean')
    const before = await readFile(disk)
    expect(await run('check', disk, 'clean')).toEqual({
      exitCode: 0,
      stdout: `${disk} has state "clean"`,
      stderr: '',
    })
    expect(await run('check', disk, 'other')).toEqual({
      exitCode: 1,
      stdout: `${disk} has no state "other"`,
      stderr: '',
    })
    expect(json(await run('check', disk, 'other', '--json'))).toMatchObject({ exists: false })
    expect((await readFile(disk)).equals(before)).toBe(true)
  })

  test('gets and unsets as the policies say', async () => {
    expect(await run('get', disk, 'clean')).toMatchObject({ exitCode: 1, stdout: '' })
    expect((await run('get', disk, 'clean')).stderr).toContain('error STATE_MISSING: ')
    expect(await run('get', disk, 'clean', '--on-missing', 'ignore')).toMatchObject({
      exitCode: 0,
      stdout: `${disk}: nothing done about "clean"`,
    })
    expect((await run('unset', disk, 'clean')).exitCode).toBe(0)
    expect((await run('unset', disk, 'clean', '--on-missing', 'abort')).exitCode).toBe(1)
    await run('set', disk, 'clean')
    await fill(disk, 2)
    expect((await run('get', disk, 'clean', '--on-exists', 'abort')).exitCode).toBe(1)
    expect((await run('get', disk, 'clean', '--on-exists', 'ignore')).exitCode).toBe(0)
    expect(await holds(disk, 2)).toBe(true)
    expect((await run('unset', disk, 'clean', '--on-exists', 'reuse')).stdout).toContain('keeps')
    expect(await names()).toEqual(['clean'])
    expect((await run('unset', disk, 'clean')).exitCode).toBe(0)
    expect(await names()).toEqual([])
    expect(await holds(disk, 2)).toBe(true)
  })

  test('sets as the policies say', async () => {
    await run('set', disk, 'clean')
    await fill(disk, 2)
    expect((await run('set', disk, 'clean', '--on-exists', 'abort')).exitCode).toBe(1)
    expect(json(await run('set', disk, 'clean', '--on-exists', 'reuse', '--json'))).toEqual({
      outcome: 'kept',
      state: 'clean',
      backend,
      image: disk,
    })
    await run('get', disk, 'clean')
    expect(await holds(disk, 1)).toBe(true)
    await fill(disk, 3)
    expect((await run('set', disk, 'clean')).stdout).toContain('replaced')
    await fill(disk, 4)
    await run('get', disk, 'clean')
    expect(await holds(disk, 3)).toBe(true)
    expect((await run('set', disk, 'new', '--on-missing', 'abort')).exitCode).toBe(1)
    expect(await names()).toEqual(['clean'])
  })

  test('pushes only new states, and pops them', async () => {
    expect((await run('push', disk, 'before')).stdout).toContain('has the new state "before"')
    const again = await run('push', disk, 'before')
    expect(again.exitCode).toBe(1)
    expect(again.stderr).toContain('error STATE_EXISTS: ')
    await fill(disk, 2)
    expect((await run('pop', disk, 'before')).exitCode).toBe(0)
    expect(await holds(disk, 1)).toBe(true)
    expect(await names()).toEqual([])
    expect((await run('pop', disk, 'before')).exitCode).toBe(1)
  })

  test('keeps several disks in step', async () => {
    const data = await createDisk('data.qcow2', 5)
    const both = ['--disk', data]
    expect((await run('set', disk, 'clean', ...both)).exitCode).toBe(0)
    await fill(disk, 2)
    await fill(data, 6)
    expect((await run('get', disk, 'clean', ...both)).exitCode).toBe(0)
    expect([await holds(disk, 1), await holds(data, 5)]).toEqual([true, true])
    const other = await createDisk('other.qcow2', 7)
    expect((await run('check', disk, 'clean', '--disk', other)).exitCode).toBe(1)
  })

  test('refuses an unknown policy before it touches anything', async () => {
    const before = await readFile(disk)
    for (const command of ['set', 'push']) {
      const { exitCode, stderr } = await run(command, disk, 'clean', '--on-exists', 'overwrite')
      expect(exitCode).toBe(2)
      expect(stderr).toMatch(/^error INVALID_POLICY: .*"overwrite"/)
    }
    expect((await readFile(disk)).equals(before)).toBe(true)
  })

  test.each([
    ['an image that is missing', 'IMAGE_MISSING', 'nowhere.qcow2', async () => {}],
    [
      'a raw file',
      'IMAGE_NOT_QCOW2',
      'raw.qcow2',
      (file: string) => writeFile(file, Buffer.alloc(65536)),
    ],
    [
      'a truncated image',
      'IMAGE_DAMAGED',
      'short.qcow2',
      async (file: string) => {
        await copyFile(disk, file)
        await truncate(file, 65536)
      },
    ],
  ])('%s is one clear line', async (_what, code, name, make) => {
    const file = place.path(name)
    await make(file)
    for (const command of ['show', 'get', 'set']) {
      const { exitCode, stdout, stderr } = await run(command, file, 'clean')
      expect({ command, exitCode, stdout }).toEqual({ command, exitCode: 2, stdout: '' })
      expect(stderr.split('\n')[0]).toMatch(new RegExp(`^error ${code}: ${file} `))
    }
  })

  test('an image that a QEMU runs on is shown but not changed', async () => {
    await run('set', disk, 'clean')
    const args = ['-nodefaults', '-display', 'none', '-S', '-drive', `file=${disk},format=qcow2`]
    const qemu = execa('qemu-system-x86_64', [...args, '-qmp', 'stdio'], { reject: false })
    try {
      await new Promise((resolve) => qemu.stdout.once('data', resolve))
      expect(await names()).toEqual(['clean'])
      for (const command of ['get', 'set', 'unset', 'pop']) {
        const { exitCode, stderr } = await run(command, disk, 'clean')
        expect({ command, exitCode }).toEqual({ command, exitCode: 2 })
        expect(stderr).toContain('error IMAGE_IN_USE: ')
      }
    } finally {
      qemu.kill('SIGKILL')
      await qemu
    }
    expect(await holds(disk, 1)).toBe(true)
  })
})

describe('states', () => {
  test('keeps new states as overlays where no backend is named', async () => {
    expect(json(await place.states(['set', disk, 'clean', '--json']))).toMatchObject({
      backend: 'external',
    })
  })

  test('asks which is meant when two backends have a state of one name', async () => {
    await place.states(['set', disk, 'clean', '--backend', 'internal'])
    // An overlay does not show the snapshots of its backing file: take one in the overlay.
    await place.states(['set', disk, 'clean', '--backend', 'external'])
    await execa('qemu-img', ['snapshot', '-c', 'clean', disk])
    const { exitCode, stderr } = await place.states(['get', disk, 'clean'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('error STATE_AMBIGUOUS: ')
    expect(stderr).toContain('Say which: --backend NAME')
  })

  test.each(['a/b', '..', 'a b', '7', '-a', 'boot'])(
    'refuses to set a state called %j',
    async (name) => {
      const before = await readFile(disk)
      const { exitCode, stderr } = await place.states(['set', disk, '--', name])
      expect(exitCode).toBe(2)
      expect(stderr).toContain('error INVALID_NAME: ')
      expect((await readFile(disk)).equals(before)).toBe(true)
    },
  )

  test('shows, gets and unsets any tag that an image already has', async () => {
    const tags = [' two words ', 'tab\there', 'ünïcödé 状态', '--json', '7']
    for (const [index, tag] of tags.entries()) {
      await fill(disk, index)
      await execa('qemu-img', ['snapshot', '-c', tag, disk])
    }
    // qemu-img pads its columns with blanks, so those at the end of a tag cannot be seen.
    const shown = tags.map((tag) => tag.trimEnd())
    expect(await names()).toEqual(shown)
    for (const [index, tag] of shown.entries()) {
      expect(await place.states(['get', disk, '--', tag])).toMatchObject({ exitCode: 0 })
      expect(await holds(disk, index)).toBe(true)
      expect((await place.states(['unset', disk, '--', tag])).exitCode).toBe(0)
    }
    expect(await names()).toEqual([])
  })

  test('works on an image with a relative path and without a suffix', async () => {
    await copyFile(disk, place.path('plain'))
    expect((await place.states(['show', 'plain'])).stdout).toContain('has no states')
    expect((await place.states(['show', basename(disk)])).stdout).toContain('has no states')
  })

  test('says what to install where qemu-img is missing', async () => {
    const env = { PATH: place.path('nothing') }
    const { exitCode, stderr } = await place.states(['show', disk], { env })
    expect(exitCode).toBe(3)
    expect(stderr).toContain('error QEMU_IMG_MISSING: ')
    expect(stderr).toContain('apt-get install qemu-utils')
  })
})
