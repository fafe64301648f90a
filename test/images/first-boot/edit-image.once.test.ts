import { copyFile, lstat, mkdir, readFile } from 'node:fs/promises'
import { dirname, isAbsolute, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { extractFiles } from '../../../src/images/appliance/extract-files.js'
import { editImage } from '../../../src/images/first-boot/edit-image.js'
import { type ResolvedImage, resolveImage } from '../../../src/images/resolve-image.js'
import { firstBootSchema } from '../../../src/params/first-boot.js'
import { readQcow2Header } from '../../../src/qemu/qcow2/header.js'
import { debianDisk } from '../../support/debian/image.js'
import { tinyGuest } from '../../support/tiny.js'
import { testOpener } from '../appliance/opener.js'
import { useScratchWithTiny } from '../scratch-with-tiny.js'

const TIMEOUT = 900_000
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtleQ me@host'

const scratch = useScratchWithTiny()

async function edited(image: ResolvedImage, options: object) {
  const firstBoot = firstBootSchema.parse(options)
  return await editImage(image, firstBoot, await testOpener(scratch()))
}

const debian = async () =>
  await resolveImage({ kind: 'file', path: await debianDisk() }, scratch().store)

describe('an image that is changed before its first boot', () => {
  it(
    'has the name, password, keys and files, and what commands have made, as its own programs do it',
    async () => {
      const options = {
        hostname: 'web.example.test',
        rootPassword: "it's secret",
        sshKeys: [KEY],
        files: {
          '/opt/new/note': 'a note',
          '/root/.ssh/authorized_keys': 'ssh-ed25519 of-before without-end',
          '/etc/cron.daily/job': { content: '#!/bin/sh\n', mode: 0o755 },
          '/opt/new/closed': { content: 'closed', mode: 0 },
        },
        interfaces: { enp9s9: 'dhcp' },
        run: [
          'useradd --create-home ada',
          'dpkg-query --show bash >/root/bash && test -r /proc/self/maps',
        ],
      }
      const image = await debian()
      const before = await lstat(image.disk.file)
      const made = await edited(image, options)
      expect(made.identity).toBe(image.identity)
      expect((await edited(image, options)).objectId).toBe(made.objectId)
      expect((await lstat(image.disk.file)).mtimeMs).toBe(before.mtimeMs)

      const directory = scratch().path('work')
      await mkdir(directory)
      const paths = ['hostname', 'hosts', 'shadow', 'passwd', 'cron.daily'].map(
        (name) => `/etc/${name}`,
      )
      const networkd = ['/etc/systemd/network', '/etc/systemd/system/multi-user.target.wants']
      const all = [...paths, ...networkd, '/root/.ssh', '/root/bash', '/opt/new', '/home/ada']
      const disk = { name: 'image', ...made.disk }
      const opener = { ...(await testOpener(scratch())), directory }
      await extractFiles('the image', disk, all, scratch().path('out'), opener)
      const text = (name: string) => readFile(scratch().path(`out/${name}`), 'utf8')
      const mode = async (name: string) =>
        (await lstat(scratch().path(`out/${name}`))).mode & 0o7777

      expect(await text('hostname')).toBe('web.example.test\n')
      expect(await text('hosts')).toMatch(/^127\.0\.1\.1 web\.example\.test web$/m)
      expect(await text('shadow')).toMatch(/^root:\$/m)
      expect(await text('.ssh/authorized_keys')).toBe(`ssh-ed25519 of-before without-end\n${KEY}\n`)
      expect([await mode('.ssh'), await mode('.ssh/authorized_keys')]).toEqual([0o700, 0o600])
      expect(await text('new/note')).toBe('a note')
      expect([await text('new/closed'), await mode('new/closed')]).toEqual(['closed', 0])
      expect(await text('network/05-vm-states-enp9s9.network')).toContain('Name=enp9s9\n')
      await lstat(scratch().path('out/multi-user.target.wants/systemd-networkd.service'))
      expect([await mode('cron.daily'), await mode('cron.daily/job')]).toEqual([0o755, 0o755])
      expect(await text('passwd')).toMatch(/^ada:/m)
      expect(await text('bash')).toMatch(/^bash\t5/)
      expect((await lstat(scratch().path('out/ada'))).isDirectory()).toBe(true)
    },
    TIMEOUT,
  )

  it(
    'stands on the object of an image in the store, and nothing is left of a change that fails',
    async () => {
      const image = await resolveImage({ kind: 'tiny', arch: 'x86_64' }, scratch().store)
      const made = await edited(image, { hostname: 'small' })
      const object = await scratch().store.objects.get(made.objectId)
      expect(object?.manifest.parents).toEqual([image.objectId])
      // So that a store can be moved.
      const { backingFile = '' } = await readQcow2Header(made.disk.file)
      expect(isAbsolute(backingFile)).toBe(false)
      expect(resolve(dirname(made.disk.file), backingFile)).toBe(image.disk.file)
      expect(made.directKernel).toEqual(image.directKernel)

      const failing = edited(image, { run: ['true', 'echo out of luck >&2; exit 3'] })
      await expect(failing).rejects.toMatchObject({
        code: 'TOOL_FAILED',
        message: 'firstBoot.run[1] cannot be done in the image: out of luck',
      })
      const password = edited(image, { rootPassword: 'x' })
      await expect(password).rejects.toMatchObject({
        code: 'TOOL_FAILED',
        message: expect.stringContaining('firstBoot.rootPassword cannot be done in the image: '),
      })
      expect(await scratch().store.objects.list()).toHaveLength(2)
    },
    TIMEOUT,
  )

  it(
    'stands on the file that it was made of, and not on another one of the same content',
    async () => {
      const { disk } = await tinyGuest()
      const images = await Promise.all(
        ['a', 'b'].map(async (name) => {
          await copyFile(disk, scratch().path(name))
          return await resolveImage(
            { kind: 'file', path: scratch().path(name), format: 'qcow2' },
            scratch().store,
          )
        }),
      )
      for (const image of images) {
        const made = await edited(image, { hostname: 'small' })
        expect((await readQcow2Header(made.disk.file)).backingFile).toBe(image.disk.file)
      }
    },
    TIMEOUT,
  )
})
