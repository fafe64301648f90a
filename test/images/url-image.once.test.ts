import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { identifyImage } from '../../src/images/identify-image.js'
import { image } from '../../src/images/image.js'
import { type ImageProgress, resolveImage } from '../../src/images/resolve-image.js'
import { imageSchema } from '../../src/params/image.js'
import { runQemuImg } from '../../src/qemu/qemu-img/run.js'
import { sourceFile, startScript } from '../support/script.js'
import { FileServer, serve, serveBroken } from './download/file-server.js'
import { makeScratch, type Scratch } from './scratch.js'

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch()
})

afterEach(async () => {
  await scratch[Symbol.asyncDispose]()
})

const digest = (content: Buffer): string => createHash('sha256').update(content).digest('hex')

/** The bytes of an image that qemu-img made with the given options. */
async function makeImage(size: string, ...options: string[]): Promise<Buffer> {
  const file = scratch.path('published.qcow2')
  await runQemuImg(['create', '-q', '-f', 'qcow2', ...options, file, size], file)
  return readFile(file)
}

const parsed = (url: string, content: Buffer, format?: 'qcow2' | 'raw') =>
  imageSchema.parse(image.url(url, { sha256: digest(content), ...(format && { format }) }))

/** Resolves an image that a server publishes under a path. */
async function publish(content: Buffer, path = '/disk.qcow2', format?: 'qcow2' | 'raw') {
  await using server = await FileServer.start(serve(content))
  return await resolveImage(parsed(server.url(path), content, format), scratch.store)
}

/** Changes bytes of a header. */
function patch(content: Buffer, offset: number, bytes: Buffer): Buffer {
  const copy = Buffer.from(content)
  bytes.copy(copy, offset)
  return copy
}

function bigEndian(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}

describe('image.url', () => {
  test('is downloaded once, and is an object of the store', async () => {
    const content = await makeImage('1M', '-o', 'preallocation=full')
    await using server = await FileServer.start(serve(content))
    const published = parsed(server.url('/disk.qcow2'), content)
    expect(await identifyImage(published, scratch.store)).toBe(`sha256:${digest(content)}`)
    expect(server.requests).toEqual([])

    const progress: ImageProgress[] = []
    const first = await resolveImage(published, scratch.store, {
      onProgress: (step) => progress.push(step),
    })
    expect(first.identity).toBe(`sha256:${digest(content)}`)
    expect(first.disk.format).toBe('qcow2')
    expect((await readFile(first.disk.file)).equals(content)).toBe(true)
    expect(await scratch.store.objects.get(first.objectId ?? '')).toBeDefined()
    expect(progress.at(-1)).toEqual({
      activity: `downloading ${server.url('/disk.qcow2')}`,
      done: content.length,
      total: content.length,
    })
    expect(await resolveImage(published, scratch.store)).toEqual(first)
    expect(server.requests).toEqual(['/disk.qcow2 all'])
  })

  test('is downloaded once by several processes, though one of them is killed', async () => {
    const content = await makeImage('4M', '-o', 'preallocation=full')
    await using server = await FileServer.start(
      (_, response) => {
        response.writeHead(200, { 'content-length': content.length })
        response.write(content.subarray(0, 2 ** 20))
      },
      serveBroken(content, 2 ** 20),
      serve(content),
    )
    const source = `
      import { resolveImage } from '${sourceFile('images/resolve-image.ts')}'
      import { openStore } from '${sourceFile('store/store.ts')}'
      const store = await openStore('${scratch.store.root}')
      const image = ${JSON.stringify(parsed(server.url('/disk.qcow2'), content))}
      console.log((await resolveImage(image, store)).disk.file)
      await store.close()`
    await using killed = await startScript(source)
    const partial = join(scratch.store.root, 'downloads', digest(content))
    await expect
      .poll(
        () =>
          stat(partial).then(
            ({ size }) => size,
            () => 0,
          ),
        { timeout: 20_000 },
      )
      .toBe(2 ** 20)
    await using one = await startScript(source)
    await using other = await startScript(source)
    killed.child.kill('SIGKILL')
    const [result, otherResult] = await Promise.all([one.ended, other.ended])
    expect(result.stderr).toBe('')
    expect(result.stdout).toBe(otherResult.stdout)
    expect((await readFile(result.stdout.trim())).equals(content)).toBe(true)
    const [first, second, third, ...more] = server.requests
    expect(first).toBe('/disk.qcow2 all')
    expect(second).toBe(`/disk.qcow2 bytes=${2 ** 20}-`)
    expect(third).toMatch(/bytes=\d+-$/)
    expect(more).toEqual([])
    expect(await scratch.store.objects.list()).toHaveLength(1)
  })

  test('may be raw, if its name or the definition says so', async () => {
    const content = Buffer.alloc(4096, 1)
    expect((await publish(content, '/disk.raw')).disk.format).toBe('raw')
    expect((await publish(Buffer.alloc(4096, 2), '/disk', 'raw')).disk.format).toBe('raw')
    await expect(publish(Buffer.alloc(4096, 3), '/disk')).rejects.toMatchObject({
      code: 'IMAGE_FORMAT_UNCLEAR',
    })
    await expect(publish(content, '/disk.raw', 'qcow2')).rejects.toMatchObject({
      code: 'IMAGE_FORMAT_UNCLEAR',
      message: expect.stringContaining('is to be qcow2, but was downloaded as raw'),
    })
  })

  test.each<[string, () => Promise<Buffer>, string]>([
    [
      'a backing file',
      () => makeImage('1M', '-u', '-F', 'raw', '-b', '/etc/passwd'),
      'names a backing file, "/etc/passwd"',
    ],
    [
      'a data file',
      () => makeImage('1M', '-o', `data_file=${scratch.path('d')}`),
      'names a data file, "',
    ],
    [
      'an unknown feature',
      async () => patch(await makeImage('1M'), 72, bigEndian(1n << 40n)),
      'needs unknown features, bits 40',
    ],
    ['a corrupt mark', async () => patch(await makeImage('1M'), 72, bigEndian(2n)), 'as corrupt'],
    [
      'encryption',
      async () => patch(await makeImage('1M'), 32, Buffer.from([0, 0, 0, 1])),
      'encrypted',
    ],
    [
      'an absurd size',
      async () => patch(await makeImage('1M'), 24, bigEndian(100n * 2n ** 40n)),
      'claims to be a disk of 100 TiB',
    ],
    ['no size', async () => patch(await makeImage('1M'), 24, bigEndian(0n)), 'a disk of 0 B'],
  ])('with %s is refused before QEMU sees it', async (_, make, problem) => {
    await expect(publish(await make())).rejects.toMatchObject({
      code: 'IMAGE_UNTRUSTED',
      message: expect.stringContaining(problem),
    })
    expect(await scratch.store.objects.list()).toEqual([])
  })

  test('that hides a qcow2 header in a raw image is refused', async () => {
    const content = await makeImage('1M')
    await expect(publish(content, '/disk.raw')).rejects.toMatchObject({
      code: 'IMAGE_FORMAT_UNCLEAR',
    })
    await expect(publish(content, '/disk', 'raw')).rejects.toMatchObject({
      code: 'IMAGE_FORMAT_UNCLEAR',
    })
  })

  test('of another checksum leaves nothing in the store', async () => {
    const content = await makeImage('1M')
    await using server = await FileServer.start(serve(content))
    const wrong = parsed(server.url('/disk.qcow2'), Buffer.from('other'))
    await expect(resolveImage(wrong, scratch.store)).rejects.toMatchObject({
      code: 'CHECKSUM_MISMATCH',
    })
    expect(await scratch.store.objects.list()).toEqual([])
    expect(await readdir(join(scratch.store.root, 'downloads'))).toEqual([])
  })
})
