import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { moveInto } from '../../../src/guest/transfer/move-into.js'
import { Unpacker } from '../../../src/guest/transfer/unpack.js'

const BLOCK = 512

/** What stands before something in an archive (POSIX ustar). */
function header(
  name: string,
  type: string,
  { linkname = '', mode = 0o644, size = 0 } = {},
): Buffer {
  const block = Buffer.alloc(BLOCK)
  const put = (text: string, offset: number) => block.write(text, offset, 'latin1')
  put(name, 0)
  put(`${mode.toString(8).padStart(7, '0')}\0`, 100)
  put('0000000\0'.repeat(2), 108)
  put(`${size.toString(8).padStart(11, '0')}\0`, 124)
  put('00000000000\0', 136)
  put(' '.repeat(8), 148)
  put(type, 156)
  put(linkname, 157)
  put('ustar\u000000', 257)
  const sum = block.reduce((all, byte) => all + byte, 0)
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** An extended header, which gives the next thing any name. */
function longName(name: string): Buffer[] {
  const text = ` path=${name}\n`
  const length = [2, 3]
    .map((digits) => text.length + digits)
    .find((all) => `${all}`.length + text.length === all)
  const record = Buffer.from(`${length}${text}`)
  const padded = Buffer.concat([record, Buffer.alloc(BLOCK - record.length)])
  return [header('long', 'x', { size: record.length }), padded]
}

const [FILE, HARD, SYMBOLIC, FIFO, FOLDER] = ['0', '1', '2', '6', '5'] as const

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vms-unpack-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function unpack(...blocks: Buffer[]): Promise<Unpacker> {
  await mkdir(join(directory, 'inner'))
  const unpacker = new Unpacker(join(directory, 'inner'), 'content')
  const archive = Readable.from([...blocks, Buffer.alloc(2 * BLOCK)])
  await pipeline(archive, await unpacker.stream())
  return unpacker
}

describe('an archive of a guest', () => {
  test.each([
    ['a link without a place', 'x is a link to nothing', [header('top/x', SYMBOLIC)]],
    ['a hard link without a place', 'x is a link to nothing', [header('top/x', HARD)]],
    [
      'a name with a NUL',
      'a\0b has a NUL in its name',
      [...longName('top/a\0b'), header('x', FILE)],
    ],
    [
      'a link in the place of all',
      'it is a link',
      [header('top', SYMBOLIC, { linkname: '/etc/hostname' })],
    ],
    ['a pipe', 'x is a fifo, which cannot be copied', [header('top/x', FIFO)]],
  ])('with %s is refused', async (_, refusal, blocks) => {
    const unpacker = await unpack(...blocks)
    expect(unpacker.refusal).toBe(refusal)
    await expect(lstat(join(directory, 'inner/content'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('cannot change what a link of its own leads to', async () => {
    await mkdir(join(directory, 'outside'), { mode: 0o700 })
    const unpacker = await unpack(
      header('top', FOLDER, { mode: 0o755 }),
      header('top/x', SYMBOLIC, { linkname: join(directory, 'outside') }),
      header('top/x', FOLDER, { mode: 0o777 }),
    )
    expect((await lstat(join(directory, 'outside'))).mode & 0o777).toBe(0o700)
    expect(unpacker.refusal).toBe('x is there twice')
  })

  test('that leads out stays in', async () => {
    await unpack(header('top', FOLDER, { mode: 0o755 }), header('../../../out', FILE))
    await expect(lstat(join(directory, 'out'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('gives every mode, whatever the umask, and folders that nobody may write to', async () => {
    const unpacker = await unpack(
      header('top', FOLDER, { mode: 0o555 }),
      header('top/deep', FOLDER, { mode: 0o555 }),
      header('top/deep/open', FILE, { mode: 0o666 }),
    )
    const target = join(directory, 'target')
    await moveInto(target, join(directory, 'inner/content'), unpacker.modes)
    const modes = await Promise.all(
      ['.', 'deep', 'deep/open'].map(
        async (path) => (await lstat(join(target, path))).mode & 0o777,
      ),
    )
    expect(modes).toEqual([0o555, 0o555, 0o666])
    for (const path of ['.', 'deep']) await chmod(join(target, path), 0o755)
  })
})

describe('a folder that is there', () => {
  test('gets what is new, keeps the rest and its mode, and its links are replaced', async () => {
    const [target, content] = [join(directory, 'target'), join(directory, 'content')]
    for (const folder of [target, content]) {
      await mkdir(join(folder, 'sub'), { recursive: true })
      await symlink('/usr', join(folder, 'absolute'))
      await symlink('none', join(folder, 'dangling'))
    }
    await chmod(target, 0o701)
    await symlink('/etc/hostname', join(target, 'sub/file'))
    await writeFile(join(content, 'sub/file'), 'new')
    await writeFile(join(target, 'kept'), 'kept')
    await moveInto(target, content, [['', 0o755]])
    expect(await readFile(join(target, 'sub/file'), 'utf8')).toBe('new')
    expect(await readFile(join(target, 'kept'), 'utf8')).toBe('kept')
    expect(await readlink(join(target, 'absolute'))).toBe('/usr')
    expect((await lstat(target)).mode & 0o777).toBe(0o701)
  })

  test('may be on another filesystem', async () => {
    const other = await mkdtemp('/dev/shm/vms-unpack-')
    onTestFinished(() => rm(other, { recursive: true }))
    await mkdir(join(directory, 'content/sub'), { recursive: true })
    await writeFile(join(directory, 'content/sub/file'), 'new', { mode: 0o640 })
    await symlink('/none', join(directory, 'content/link'))
    await symlink('/old', join(other, 'link'))
    await symlink(other, join(directory, 'link'))
    await moveInto(join(directory, 'link'), join(directory, 'content'), [['sub', 0o750]])
    expect(await readFile(join(other, 'sub/file'), 'utf8')).toBe('new')
    expect(await readlink(join(other, 'link'))).toBe('/none')
    expect((await lstat(join(other, 'sub/file'))).mode & 0o777).toBe(0o640)
    expect((await lstat(join(other, 'sub'))).mode & 0o777).toBe(0o750)
  })

  test('may be where a link leads', async () => {
    await mkdir(join(directory, 'real'))
    await mkdir(join(directory, 'content'))
    await writeFile(join(directory, 'content/file'), 'new')
    await symlink('real', join(directory, 'link'))
    await moveInto(join(directory, 'link'), join(directory, 'content'), [])
    expect(await readFile(join(directory, 'real/file'), 'utf8')).toBe('new')
  })

  test('is left as it is where a folder and a file have one name', async () => {
    const [target, content] = [join(directory, 'target'), join(directory, 'content')]
    await mkdir(join(target, 'x'), { recursive: true })
    await mkdir(content)
    for (const name of ['a', 'x']) await writeFile(join(content, name), 'new')
    await expect(moveInto(target, content, [])).rejects.toThrow(
      `${join(target, 'x')} is a directory`,
    )
    await expect(lstat(join(target, 'a'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
