import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import { bootTiny, rejection, type TinyVm } from '../tiny-vm.js'

describe.each(['agent', 'ssh'] as const)('over %s', (channel) => {
  let tiny: TinyVm
  let vm: TinyVm['vm']

  beforeAll(async () => {
    tiny = await bootTiny({ channel })
    vm = tiny.vm
    await vm.$`mkdir -p /work`
  })
  afterAll(() => tiny[Symbol.asyncDispose]())

  const statOf = async (path: string) => (await vm.exec('stat', ['-c', '%a %u:%g', path])).stdout
  const inWork = async () => (await vm.exec('ls', ['-A', '/work'])).stdout

  describe('a file', () => {
    test('comes back as the text that was written', async () => {
      await vm.writeFile('/work/text', 'first line\nä€😀 no newline at the end')
      const text = await vm.readFile('/work/text')
      expectTypeOf(text).toEqualTypeOf<string>()
      expect(text).toBe('first line\nä€😀 no newline at the end')
    })

    test('of several messages comes back as the bytes that were written', async () => {
      const bytes = Buffer.alloc(2 * 2 ** 20 + 77_777)
      for (let index = 0; index < bytes.length; index++) bytes[index] = (index * 7919) >> 5
      await vm.writeFile('/work/bytes', bytes)
      const back = await vm.readFile('/work/bytes', 'buffer')
      expectTypeOf(back).toEqualTypeOf<Buffer>()
      expect(back.equals(bytes)).toBe(true)
      expect(await statOf('/work/bytes')).toBe('644 0:0')
    }, 20_000)

    test('may be empty, and may have an odd name', async () => {
      for (const path of ["/work/it's $odd\n *", '/work/-n', '/root-level']) {
        await vm.writeFile(path, '')
        expect(await vm.readFile(path)).toBe('')
        await vm.exec('rm', ['--', path])
      }
    })

    test('of the kernel can be read and written', async () => {
      expect(await vm.readFile('/proc/sys/kernel/hostname')).toBe('tiny\n')
      await vm.writeFile('/proc/sys/kernel/hostname', 'renamed')
      expect(await vm.readFile('/proc/sys/kernel/hostname')).toBe('renamed\n')
    })

    test('has the mode that was asked for', async () => {
      await vm.writeFile('/work/tool', '#!/bin/sh\necho ran\n', { mode: 0o750 })
      expect(await statOf('/work/tool')).toBe('750 0:0')
      expect((await vm.exec('/work/tool')).stdout).toBe('ran')
    })

    test('keeps mode and owner when its content is replaced', async () => {
      await vm.$`echo old >/work/owned; chown 12:34 /work/owned; chmod 4640 /work/owned`
      await vm.writeFile('/work/owned', 'new')
      expect(await statOf('/work/owned')).toBe('4640 12:34')
      expect(await vm.readFile('/work/owned')).toBe('new')
    })

    test('is replaced as a whole: who has it open keeps the old one', async () => {
      await vm.writeFile('/work/whole', 'old')
      const reader = vm.$`exec 3</work/whole; echo >/work/opened; sleep 1; cat <&3`
      await expect.poll(inWork).toContain('opened')
      await vm.writeFile('/work/whole', 'new')
      expect((await reader).stdout).toBe('old')
      expect(await vm.readFile('/work/whole')).toBe('new')
    })

    test('behind a symbolic link is written where it is', async () => {
      await vm.$`mkdir -p /work/there; ln -s there/target /work/link`
      await vm.writeFile('/work/link', 'through')
      expect(await vm.readFile('/work/there/target')).toBe('through')
      expect((await vm.exec('readlink', ['/work/link'])).stdout).toBe('there/target')
    })
  })

  describe('a file that cannot be had', () => {
    test.each([
      ['a missing file', '/work/missing', 'No such file or directory'],
      ['a missing file of an odd name', '/work/frozen and disabled', 'No such file or directory'],
      ['a directory', '/work', 'directory'],
    ])('is an error that says why, reading %s', async (_, path, why) => {
      const error = await rejection(vm.readFile(path))
      expect(error.code).toBe('GUEST_FILE_FAILED')
      expect(error.message).toContain(`${path} in the guest cannot be read: `)
      expect(error.message).toContain(why)
      expect(error.message).toContain('vm-states tiny guest ready')
    })

    test.each([
      ['into a missing directory', '/no/such/file', 'there is no directory /no/such'],
      ['over a directory', '/work', 'it is a directory'],
      ['through links that go round', '/work/round', 'too many symbolic links'],
    ])('is an error that says why, writing %s', async (_, path, why) => {
      await vm.$`ln -sf round /work/round`
      const error = await rejection(vm.writeFile(path, 'x'))
      expect(error.code).toBe('GUEST_FILE_FAILED')
      expect(error.message).toContain(`${path} in the guest cannot be written: ${why}`)
    })

    test('is an error, writing more to a file of the kernel than one message holds', async () => {
      const error = await rejection(vm.writeFile('/dev/null', Buffer.alloc(2 ** 20 + 1)))
      expect(error.message).toContain('a file of the kernel takes at most 1 MiB')
    })

    test('stays as it was when the disk is full, and nothing is left beside it', async () => {
      await vm.$`mkdir -p /full; mount -t tmpfs -o size=512k tmpfs /full; echo kept >/full/file`
      const error = await rejection(vm.writeFile('/full/file', Buffer.alloc(700_000)))
      expect(error.code).toBe('GUEST_FILE_FAILED')
      expect(error.message).toContain('No space left')
      expect((await vm.exec('ls', ['-A', '/full'])).stdout).toBe('file')
      expect(await vm.readFile('/full/file')).toBe('kept\n')
    })

    test.each([
      ['a relative path', () => vm.readFile('etc/passwd')],
      ['a relative path to write', () => vm.writeFile('etc/x', '')],
      ['a mode that is none', () => vm.writeFile('/work/x', '', { mode: 0o10000 })],
      ['content that is no content', () => vm.writeFile('/work/x', 1 as unknown as string)],
    ])('is refused before the guest is asked: %s', async (_, call) => {
      expect((await rejection(call())).code).toBe('INVALID_VALUE')
    })
  })
})
