import { execFileSync } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readQcow2Header } from '../../../src/qemu/qcow2/header.js'
import { runScript, sourceFile } from '../../support/script.js'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qcow2-header-'))
})

afterEach(() => rm(directory, { recursive: true }))

/** An image by the real qemu-img. */
function create(name: string, ...args: string[]): string {
  const file = join(directory, name)
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...args, file, '10M'], {
    cwd: directory,
  })
  return file
}

/** Overwrites bytes of the header. */
async function patch(file: string, at: number, bytes: readonly number[]): Promise<void> {
  const handle = await open(file, 'r+')
  await handle.write(Buffer.from(bytes), 0, undefined, at)
  await handle.close()
}

describe('a sound image', () => {
  test('version 3', async () => {
    expect(await readQcow2Header(create('a.qcow2'))).toEqual({
      version: 3,
      virtualSize: 10 * 2 ** 20,
      clusterSize: 65536,
      encrypted: false,
      snapshotCount: 0,
      incompatibleFeatures: [],
      unknownFeatureBits: [],
    })
  })

  test('version 2, with a backing file and its format', async () => {
    create('base.qcow2')
    const file = create('a.qcow2', '-o', 'compat=0.10', '-b', 'base.qcow2', '-F', 'qcow2')
    expect(await readQcow2Header(file)).toMatchObject({
      version: 2,
      backingFile: 'base.qcow2',
      backingFormat: 'qcow2',
    })
  })

  test('a backing file whose name has UTF-8 and blanks', async () => {
    await writeFile(join(directory, 'bäse 1.img'), Buffer.alloc(512))
    const file = create('a.qcow2', '-b', join(directory, 'bäse 1.img'), '-F', 'raw')
    expect(await readQcow2Header(file)).toMatchObject({
      backingFile: join(directory, 'bäse 1.img'),
      backingFormat: 'raw',
    })
  })

  test('a backing file without a format', async () => {
    create('base.qcow2')
    const file = create('a.qcow2', '-b', 'base.qcow2', '-F', 'qcow2')
    const header = Buffer.from('e2792aca', 'hex')
    const handle = await open(file, 'r+')
    const head = Buffer.alloc(512)
    await handle.read(head, 0, 512, 0)
    await handle.close()
    await patch(file, head.indexOf(header), [0x12, 0x34, 0x56, 0x78])
    const read = await readQcow2Header(file)
    expect(read.backingFile).toBe('base.qcow2')
    expect(read).not.toHaveProperty('backingFormat')
  })

  test('a data file, and the feature bits of one', async () => {
    const file = create('a.qcow2', '-o', `data_file=${join(directory, 'a.raw')}`)
    expect(await readQcow2Header(file)).toMatchObject({
      dataFile: join(directory, 'a.raw'),
      incompatibleFeatures: ['data-file'],
    })
  })

  test('other cluster sizes, zstd and extended L2 entries', async () => {
    const options = 'cluster_size=2M,compression_type=zstd,extended_l2=on'
    expect(await readQcow2Header(create('a.qcow2', '-o', options))).toMatchObject({
      clusterSize: 2 ** 21,
      incompatibleFeatures: ['compression-type', 'extended-l2'],
    })
    expect(await readQcow2Header(create('b.qcow2', '-o', 'cluster_size=512'))).toMatchObject({
      clusterSize: 512,
      virtualSize: 10 * 2 ** 20,
    })
  })

  test('snapshots are counted', async () => {
    const file = create('a.qcow2')
    for (const tag of ['a', 'b', 'c']) execFileSync('qemu-img', ['snapshot', '-c', tag, file])
    expect(await readQcow2Header(file)).toMatchObject({ snapshotCount: 3 })
  })

  test('feature bits that we do not know are told', async () => {
    const file = create('a.qcow2')
    await patch(file, 72, [0x80, 0, 0, 0, 0, 0, 0, 0x21])
    expect(await readQcow2Header(file)).toMatchObject({
      incompatibleFeatures: ['dirty'],
      unknownFeatureBits: [5, 63],
    })
  })
})

describe('what is no image', () => {
  test('a named pipe, without waiting for its writer', async () => {
    const file = join(directory, 'pipe.qcow2')
    execFileSync('mkfifo', [file])
    await expect(readQcow2Header(file)).rejects.toMatchObject({
      code: 'IMAGE_NOT_QCOW2',
      message: `${file} is not a file`,
    })
  })

  test('a missing file', async () => {
    await expect(readQcow2Header(join(directory, 'no.qcow2'))).rejects.toMatchObject({
      code: 'IMAGE_MISSING',
      message: expect.stringContaining('no.qcow2 does not exist'),
    })
  })

  test('a directory, an empty file and a raw image', async () => {
    await mkdir(join(directory, 'd.qcow2'))
    await writeFile(join(directory, 'empty.qcow2'), '')
    await writeFile(join(directory, 'raw.qcow2'), Buffer.alloc(2 ** 20))
    for (const name of ['d.qcow2', 'empty.qcow2', 'raw.qcow2']) {
      await expect(readQcow2Header(join(directory, name))).rejects.toMatchObject({
        code: 'IMAGE_NOT_QCOW2',
      })
    }
  })

  test('a version from the future', async () => {
    const file = create('a.qcow2')
    await patch(file, 4, [0, 0, 0, 4])
    await expect(readQcow2Header(file)).rejects.toMatchObject({ code: 'IMAGE_NOT_QCOW2' })
  })

  test('a file that this user may not read', async () => {
    const file = create('a.qcow2')
    await chmod(file, 0o000)
    await chmod(directory, 0o755)
    const { stdout } = await runScript(
      `import { readQcow2Header } from '${sourceFile('qemu/qcow2/header.ts')}'
       await readQcow2Header(process.argv[2]).catch((error) => console.log(error.message))`,
      [file],
      { unprivileged: true },
    )
    expect(stdout).toBe(`${file} is not accessible for this user\n`)
  })
})

describe('a damaged image', () => {
  test.each([3, 30, 71, 80, 103, 1000, 65536, 131072, 196608])(
    'cut off after %i bytes',
    async (length) => {
      const file = create('a.qcow2')
      await truncate(file, length)
      await expect(readQcow2Header(file)).rejects.toMatchObject({
        code: length < 4 ? 'IMAGE_NOT_QCOW2' : 'IMAGE_DAMAGED',
        message: expect.stringContaining(file),
      })
    },
  )

  test.each([
    ['cluster_bits', 20, [0, 0, 0, 40]],
    ['a backing file beyond the header', 8, [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 9]],
    ['a backing file name of 1 GiB', 8, [0, 0, 0, 0, 0, 0, 1, 0, 0x40, 0, 0, 0]],
    ['a virtual size of 2^60', 24, [0x10, 0, 0, 0, 0, 0, 0, 0]],
    ['an L1 table of 32 GiB', 36, [0xff, 0xff, 0xff, 0xff]],
    ['a refcount table beyond the end', 48, [0, 0, 1, 0, 0, 0, 0, 0]],
    ['4 billion snapshots', 60, [0xff, 0xff, 0xff, 0xff]],
    ['a snapshot table beyond the end', 60, [0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0]],
    ['an endless header extension', 0x70, [1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff]],
  ])('%s', async (_, at, bytes) => {
    const file = create('a.qcow2')
    await patch(file, at, bytes)
    await expect(readQcow2Header(file)).rejects.toMatchObject({ code: 'IMAGE_DAMAGED' })
  })

  test('is not changed by being read', async () => {
    const file = create('a.qcow2')
    await truncate(file, 100_000)
    await copyFile(file, `${file}.before`)
    await expect(readQcow2Header(file)).rejects.toThrow()
    execFileSync('cmp', [file, `${file}.before`])
  })
})
