import {
  chmod,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { refuseRunning } from '../../../src/backends/image/refuse-running.js'
import { extractFiles } from '../../../src/images/appliance/extract-files.js'
import { injectFiles } from '../../../src/images/appliance/inject-files.js'
import type { DiskOpener } from '../../../src/images/appliance/open-disk.js'
import type { Disk } from '../../../src/qemu/machine/launch-options.js'
import { createBlank, createOverlay } from '../../../src/qemu/qemu-img/create.js'
import { debianDisk } from '../../support/debian/image.js'
import { tinyGuest } from '../../support/tiny.js'
import { useScratchWithTiny } from '../scratch-with-tiny.js'
import { testOpener } from './opener.js'

const TIMEOUT = 900_000

const scratch = useScratchWithTiny()
let count = 0

async function opener(): Promise<DiskOpener> {
  const directory = scratch().path(`work-${count++}`)
  await mkdir(directory)
  return { ...(await testOpener(scratch())), directory }
}

async function overlayOn(file: string): Promise<Disk> {
  const overlay = scratch().path('overlay.qcow2')
  await createOverlay(overlay, { file, format: 'qcow2' })
  return { name: 'image', file: overlay, format: 'qcow2' }
}

const locked = (file: string) =>
  refuseRunning([file]).then(
    () => false,
    () => true,
  )

const extract = async (disk: Disk, paths: string[], to = scratch().path('out')) =>
  await extractFiles('the disk', disk, paths, to, await opener())
const inject = async (disk: Disk, sources: string[], to: string) =>
  await injectFiles('the disk', disk, sources, to, await opener())

describe('files of a disk that is not booted', () => {
  it(
    'go in and out as they are: bytes, permissions, links and directories',
    async () => {
      const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256))
      await mkdir(scratch().path('tree/inner'), { recursive: true })
      await writeFile(scratch().path('tree/inner/bytes'), bytes)
      await writeFile(scratch().path('tree/script'), '#!/bin/sh\n')
      await chmod(scratch().path('tree/script'), 0o750)
      await symlink('/etc/hostname', scratch().path('tree/link'))
      await writeFile(scratch().path('one file'), 'one\n')
      const disk = await overlayOn((await tinyGuest()).disk)

      await inject(disk, [scratch().path('tree'), scratch().path('one file')], '/var')
      await inject(disk, [scratch().path('one file')], '/etc/hostname')
      const before = await readFile(disk.file)
      const out = scratch().path('out')
      expect(await extract(disk, ['/var/tree/', '/var/one file', '/etc/hostname'], out)).toEqual([
        `${out}/tree`,
        `${out}/one file`,
        `${out}/hostname`,
      ])
      expect(before.equals(await readFile(disk.file))).toBe(true)
      expect(await readFile(`${out}/tree/inner/bytes`)).toEqual(bytes)
      expect((await lstat(`${out}/tree/script`)).mode & 0o7777).toBe(0o750)
      expect(await readlink(`${out}/tree/link`)).toBe('/etc/hostname')
      expect(await readFile(`${out}/hostname`, 'utf8')).toBe('one\n')
      expect(await readdir(out)).toHaveLength(3)
    },
    TIMEOUT,
  )

  it(
    'are found on the root partition of a disk, through links as its own system follows them',
    async () => {
      const disk: Disk = { name: 'image', file: await debianDisk(), format: 'qcow2' }
      const out = scratch().path('out')
      // /var/run leads to /run, and /etc/os-release to ../usr/lib/os-release.
      await extract(disk, ['/usr/lib/os-release', '/etc/os-release/../hostname'], out)
      expect(await readFile(`${out}/os-release`, 'utf8')).toContain('bookworm')
      expect(await readFile(`${out}/hostname`, 'utf8')).toBe('debian\n')
    },
    TIMEOUT,
  )

  it(
    'are those of the first of several partitions with an /etc',
    async () => {
      const [size, file] = [8 * 2 ** 20, scratch().path('two.raw')]
      const table = Buffer.alloc(512)
      table.writeUInt16LE(0xaa55, 510)
      await writeFile(file, table)
      for (const [index, name] of ['first', 'second'].entries()) {
        await mkdir(scratch().path(`${name}/etc`), { recursive: true })
        await writeFile(scratch().path(`${name}/etc/name`), name)
        const start = size * (index + 1)
        table.writeUInt8(0x83, 446 + 16 * index + 4)
        table.writeUInt32LE(start / 512, 446 + 16 * index + 8)
        table.writeUInt32LE(size / 512, 446 + 16 * index + 12)
        await truncate(file, start + size)
        const args = [
          '-Fqt',
          'ext2',
          '-E',
          `offset=${start}`,
          '-d',
          scratch().path(name),
          file,
          '8M',
        ]
        await execa('/sbin/mke2fs', args)
      }
      await using disk = await open(file, 'r+')
      await disk.write(table)
      await extract({ name: 'image', file, format: 'raw' }, ['/etc/name'])
      expect(await readFile(scratch().path('out/name'), 'utf8')).toBe('first')
    },
    TIMEOUT,
  )

  it(
    'that are not there are all named, and nothing is left',
    async () => {
      const disk: Disk = { name: 'image', file: (await tinyGuest()).disk, format: 'qcow2' }
      const missing = extract(disk, ['/etc/hostname', '/etc/none', '/nowhere/at all'])
      await expect(missing).rejects.toMatchObject({
        code: 'GUEST_FILE_FAILED',
        message: 'the disk: there is no /etc/none, /nowhere/at all',
      })
      await expect(lstat(scratch().path('out'))).rejects.toMatchObject({ code: 'ENOENT' })
    },
    TIMEOUT,
  )

  it(
    'need a directory to go to, and a filesystem that can be mounted',
    async () => {
      await writeFile(scratch().path('file'), 'x')
      const disk = await overlayOn((await tinyGuest()).disk)
      await expect(inject(disk, [scratch().path('file')], '/none/file')).rejects.toMatchObject({
        code: 'GUEST_FILE_FAILED',
        message: 'the disk: there is no directory /none/file',
      })
      const blank = scratch().path('blank.qcow2')
      await createBlank(blank, 2 ** 20)
      const empty: Disk = { name: 'image', file: blank, format: 'qcow2' }
      await expect(extract(empty, ['/etc'])).rejects.toMatchObject({ code: 'IMAGE_UNSUPPORTED' })
    },
    TIMEOUT,
  )

  it(
    'are refused while a machine writes to the disk, and not while others stand on it',
    async () => {
      const disk = await overlayOn((await tinyGuest()).disk)
      const writer = execa('qemu-io', ['-f', 'qcow2', disk.file], { reject: false })
      await expect.poll(() => locked(disk.file), { timeout: 60_000 }).toBe(true)
      await expect(extract(disk, ['/etc/hostname'])).rejects.toMatchObject({ code: 'IMAGE_IN_USE' })
      const base: Disk = { name: 'image', file: (await tinyGuest()).disk, format: 'qcow2' }
      await extract(base, ['/etc/hostname'])
      writer.stdin?.end()
      await writer
    },
    TIMEOUT,
  )

  it('are refused before anything is started where they would replace something', async () => {
    const disk: Disk = { name: 'image', file: scratch().path('none'), format: 'qcow2' }
    await mkdir(scratch().path('out/hosts'), { recursive: true })
    await expect(extract(disk, ['/etc/hosts'])).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    await expect(extract(disk, ['/a/x', '/b/x'])).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    for (const name of ['a', 'b']) {
      await mkdir(scratch().path(name))
      await writeFile(scratch().path(`${name}/x`), name)
    }
    const both = [scratch().path('a/x'), scratch().path('b/x')]
    await expect(inject(disk, both, '/etc')).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      message: 'two of the files would both be x in /etc',
    })
    for (const paths of [
      ['/etc/passwd', '/etc'],
      ['/etc', '/etc/passwd'],
    ]) {
      await expect(extract(disk, paths)).rejects.toMatchObject({
        code: 'INVALID_VALUE',
        message: '/etc/passwd is a part of /etc: name one of them',
      })
    }
    await expect(extract(disk, ['etc'])).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    await expect(extract(disk, ['/'])).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    const none = inject(disk, [scratch().path('nothing')], '/etc')
    await expect(none).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  })
})
