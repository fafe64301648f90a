import { createHash, randomBytes } from 'node:crypto'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { downloadFile } from '../../../src/images/download/download-file.js'
import { answer, FileServer, serve, serveBroken } from './file-server.js'

const content = randomBytes(3 * 2 ** 20)
const sha256 = createHash('sha256').update(content).digest('hex')

let directory: string
let path: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'download-'))
  path = join(directory, 'partial')
})

afterEach(async () => {
  await rm(directory, { recursive: true })
})

const download = (url: string, checksum = sha256, signal?: AbortSignal) =>
  downloadFile(url, path, checksum, { signal })

const isComplete = async () => (await readFile(path)).equals(content)

describe('downloadFile', () => {
  test('brings a file, telling how far it is', async () => {
    await using server = await FileServer.start(serve(content))
    const progress: number[] = []
    await downloadFile(server.url('/disk'), path, sha256, {
      onProgress: ({ received, total }) => {
        expect(total).toBe(content.length)
        progress.push(received)
      },
    })
    expect(await isComplete()).toBe(true)
    expect(progress.at(-1)).toBe(content.length)
    expect(progress).toEqual(progress.toSorted((a, b) => a - b))
  })

  test('goes on where the connection broke, again and again', async () => {
    const broken = serveBroken(content, 2 ** 20)
    await using server = await FileServer.start(broken, broken, serve(content))
    await download(server.url('/disk'))
    expect(await isComplete()).toBe(true)
    expect(server.requests[0]).toBe('/disk all')
    expect(server.requests.slice(1).every((request) => /bytes=[1-9]\d*-$/.test(request))).toBe(true)
  })

  test('goes on with what a killed process left', async () => {
    await writeFile(path, content.subarray(0, 1000))
    await using server = await FileServer.start(serve(content))
    await download(server.url('/disk'))
    expect(await isComplete()).toBe(true)
    expect(server.requests).toEqual(['/disk bytes=1000-'])
  })

  test('takes what is already complete, and starts over with what is too long', async () => {
    await writeFile(path, content)
    await using server = await FileServer.start(serve(content))
    await download(server.url('/disk'))
    expect(server.requests).toEqual([`/disk bytes=${content.length}-`])
    await writeFile(path, Buffer.concat([content, Buffer.from('more')]))
    await download(server.url('/disk'))
    expect(await isComplete()).toBe(true)
  })

  test('starts over if what was left is of another version', async () => {
    await writeFile(path, 'older')
    await using server = await FileServer.start(serve(content))
    await download(server.url('/disk'))
    expect(await isComplete()).toBe(true)
    expect(server.requests).toEqual(['/disk bytes=5-', '/disk all'])
  })

  test('copes with servers that know no ranges', async () => {
    await writeFile(path, content.subarray(0, 1000))
    await using server = await FileServer.start((_, response) => response.end(content))
    await download(server.url('/disk'))
    expect(await isComplete()).toBe(true)
  })

  test('follows redirects, and tries again what may pass', async () => {
    await using server = await FileServer.start(
      answer(302, { location: '/elsewhere' }),
      answer(503),
      answer(429),
      serve(content),
    )
    await download(server.url('/disk'))
    expect(await isComplete()).toBe(true)
    expect(server.requests).toEqual(['/disk all', '/elsewhere all', '/disk all', '/disk all'])
  })

  test('refuses another file than the checksum is of, and leaves nothing', async () => {
    await using server = await FileServer.start(serve(content))
    const wrong = 'ab'.repeat(32)
    await expect(download(server.url('/disk'), wrong)).rejects.toMatchObject({
      code: 'CHECKSUM_MISMATCH',
      message: expect.stringContaining(`/disk has the sha256 ${sha256}, not ${wrong}`),
    })
    await expect(access(path)).rejects.toThrow()
    expect(server.requests).toHaveLength(1)
  })

  test.each([
    ['a page that is not there', answer(404), 'the server answers 404 Not Found'],
    ['a file of this host', answer(302, { location: 'file:///etc/passwd' }), 'redirected to file:'],
    ['a redirect to nowhere', answer(302), 'it is redirected to ""'],
    ['a circle', answer(301, { location: '/disk' }), 'redirected more than 10 times'],
    ['an encoding', answer(200, { 'content-encoding': 'gzip' }), 'the server encodes it as gzip'],
  ])('gives up at once on %s', async (_, hostile, message) => {
    await using server = await FileServer.start(hostile)
    await expect(download(server.url('/disk'))).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringContaining(message),
    })
  })

  test('does not write what belongs elsewhere', async () => {
    await writeFile(path, content.subarray(0, 1000))
    await using server = await FileServer.start(
      (_, response) =>
        response.writeHead(206, { 'content-range': 'bytes 7-9/10' }).end(Buffer.from('abc')),
      serve(content),
    )
    await download(server.url('/disk'))
    expect(await isComplete()).toBe(true)
  })

  test('gives up on a server that is gone, and does not show passwords', async () => {
    const server = await FileServer.start(serve(content))
    const url = server.url('/disk').replace('http://', 'http://user:secret@')
    await server[Symbol.asyncDispose]()
    const error = await download(url).catch((reason) => reason)
    expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED' })
    expect(error.message).toContain('failed 6 times: connect ECONNREFUSED')
    expect(error.message).not.toContain('secret')
  })

  test('ends when it is cancelled, and keeps what came', async () => {
    const cancel = new AbortController()
    await using server = await FileServer.start((_, response) => {
      response.writeHead(200, { 'content-length': content.length })
      response.write(content.subarray(0, 2 ** 20))
    })
    const cancelled = downloadFile(server.url('/disk'), path, sha256, {
      signal: cancel.signal,
      onProgress: ({ received }) => {
        if (received === 2 ** 20) cancel.abort()
      },
    })
    await expect(cancelled).rejects.toMatchObject({ code: 'ABORTED' })
    expect((await readFile(path)).equals(content.subarray(0, 2 ** 20))).toBe(true)
  })
})
