import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { cpioArchive } from '../../../src/images/tiny/cpio.js'
import { tinyGuest } from '../../support/tiny.js'

test('an archive lists as what was put in, for any length of names and contents', () => {
  const entries = Array.from({ length: 9 }, (_, length) => ({
    path: `d/${'n'.repeat(length + 1)}`,
    mode: 0o100640,
    data: Buffer.alloc(length, 'x'),
  }))
  const archive = cpioArchive([
    { path: 'd', mode: 0o040755 },
    ...entries,
    { path: 'console', mode: 0o020600, device: [5, 1] },
  ])
  const text = archive.toString('latin1')
  const found: string[] = []
  let at = 0
  for (;;) {
    expect(text.slice(at, at + 6)).toBe('070701')
    const field = (index: number) =>
      Number.parseInt(text.slice(at + 6 + index * 8, at + 14 + index * 8), 16)
    const [mode, uid, size, nameSize] = [field(1), field(2), field(6), field(11)]
    const name = text.slice(at + 110, at + 110 + nameSize - 1)
    if (name === 'TRAILER!!!') break
    const body = at + Math.ceil((110 + nameSize) / 4) * 4
    found.push(`${name} ${mode.toString(8)} ${uid} ${text.slice(body, body + size)}`)
    at = Math.ceil((body + size) / 4) * 4
  }
  expect(found).toEqual([
    'd 40755 0 ',
    ...entries.map(({ path, data }) => `${path} 100640 0 ${data.toString()}`),
    'console 20600 0 ',
  ])
})

test('the initramfs of the tiny guest has an init and the modules for its disk', async () => {
  const { directKernel } = await tinyGuest()
  const strings = execFileSync('grep', [
    '-a',
    '-o',
    '-E',
    'virtio_[a-z]+\\.ko:',
    directKernel.initrd ?? '',
  ])
  expect(strings.toString().split('\n')).toEqual(
    expect.arrayContaining(['virtio_blk.ko:', 'virtio_pci.ko:', 'virtio_console.ko:']),
  )
})
