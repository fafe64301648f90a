import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { setBackingPath, writeBackingPath } from '../../../src/qemu/qcow2/backing-path.js'
import { readQcow2Header } from '../../../src/qemu/qcow2/header.js'

let directory: string
let file: string
let original: Buffer

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'backing-path-'))
  file = join(directory, 'overlay.qcow2')
  const args = ['-q', '-u', '-f', 'qcow2', '-F', 'qcow2', '-b', '/a/base.qcow2', file, '10M']
  execFileSync('qemu-img', ['create', ...args])
  original = await readFile(file)
})

afterAll(() => rm(directory, { recursive: true }))

test('any path can take the place of any other, as often as asked', async () => {
  const path = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 })
  await fc.assert(
    fc.asyncProperty(fc.array(path, { minLength: 1, maxLength: 4 }), async (paths) => {
      await writeFile(file, original)
      for (const path of paths) {
        if (Buffer.byteLength(path) > 1023) return
        expect(await writeBackingPath(file, path)).toBe(true)
        const header = await readQcow2Header(file)
        expect(header).toMatchObject({ backingFile: path, backingFormat: 'qcow2' })
      }
      const [first = ''] = paths
      const again = Buffer.from(original)
      setBackingPath(again, first)
      setBackingPath(again, '/a/base.qcow2')
      expect(again.equals(original)).toBe(true)
    }),
    { numRuns: 50 },
  )
})

test('qemu-img reads what was written, and finds nothing wrong', async () => {
  await writeFile(file, original)
  const base = join(directory, 'a longer name than before.qcow2')
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', base, '10M'])
  expect(await writeBackingPath(file, base)).toBe(true)
  const info = JSON.parse(String(execFileSync('qemu-img', ['info', '--output=json', file])))
  expect(info).toMatchObject({ 'full-backing-filename': base, 'backing-filename-format': 'qcow2' })
  execFileSync('qemu-img', ['check', '-q', file])
})

test('what has no room, or no backing file, stays as it is', async () => {
  for (const bytes of [original.subarray(0, 600), withoutBacking()]) {
    const before = Buffer.from(bytes)
    const head = Buffer.from(bytes)
    expect(setBackingPath(head, '/x'.repeat(250))).toBe(false)
    expect(head.equals(before)).toBe(true)
  }
  expect(setBackingPath(Buffer.from(original), 'x'.repeat(1024))).toBe(false)
})

test('something behind the path is not written over', () => {
  const head = Buffer.from(original)
  const end = Number(head.readBigUInt64BE(8)) + head.readUInt32BE(16)
  head[end + 3] = 1
  expect(setBackingPath(head, '/a/base.qcow')).toBe(true)
  expect(setBackingPath(head, '/a/base.qcow2 and more')).toBe(false)
})

function withoutBacking(): Buffer {
  const bytes = Buffer.from(original)
  bytes.fill(0, 8, 20)
  return bytes
}
