import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, open, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { externalBackend } from '../../src/backends/external/external-backend.js'
import type { ImageBackend, ImageTarget } from '../../src/backends/image-backend.js'
import { internalBackend } from '../../src/backends/internal/internal-backend.js'
import { runScript, sourceFile } from '../support/script.js'
import { Images } from './images.js'

let images: Images

beforeEach(async () => {
  images = await Images.open()
})

afterEach(() => images[Symbol.asyncDispose]())

/** Runs a QEMU without a machine on an image, until the test ends. */
async function occupy(file: string): Promise<void> {
  const node = `driver=qcow2,node-name=disk,file.driver=file,file.filename=${file}`
  const bare = ['-machine', 'none', '-nodefaults', '-display', 'none', '-qmp', 'stdio']
  const qemu = spawn('qemu-system-x86_64', [...bare, '-blockdev', node])
  onTestFinished(async () => {
    qemu.kill('SIGKILL')
    if (qemu.exitCode === null && qemu.signalCode === null) await once(qemu, 'exit')
  })
  await once(qemu.stdout, 'data')
}

const writers = (
  backend: ImageBackend,
  target: ImageTarget,
): Record<string, () => Promise<void>> => ({
  get: () => backend.get(target, 'clean'),
  set: () => backend.set(target, 'new'),
  'set over': () => backend.set(target, 'clean'),
  unset: () => backend.unset(target, 'clean'),
})

describe.each([internalBackend, externalBackend])('$name', (backend) => {
  const damages: [string, string, RegExp, (file: string) => Promise<unknown>][] = [
    [
      'a missing image',
      'IMAGE_MISSING',
      /does not exist/,
      async (file) => execFileSync('rm', [file]),
    ],
    [
      'a raw file',
      'IMAGE_NOT_QCOW2',
      /not a qcow2 image/,
      (file) => writeFile(file, Buffer.alloc(2 ** 20)),
    ],
    [
      'a truncated image',
      'IMAGE_DAMAGED',
      /truncated or corrupt/,
      (file) => truncate(file, 150_000),
    ],
    [
      'an image marked as corrupt',
      'IMAGE_DAMAGED',
      /marked as corrupt/,
      (file) => patch(file, 79, 2),
    ],
    [
      'an unknown feature',
      'IMAGE_UNSUPPORTED',
      /unknown qcow2 features \(7\)/,
      (file) => patch(file, 79, 128),
    ],
  ]

  async function patch(file: string, at: number, byte: number): Promise<void> {
    await using handle = await open(file, 'r+')
    await handle.write(Buffer.from([byte]), 0, 1, at)
  }

  test.each(damages)(
    '%s is refused in one line, and nothing changes',
    async (_, code, message, damage) => {
      const [good, bad] = [images.create('a.qcow2', 1), images.create('b.qcow2', 2)]
      const target = images.target(good, bad)
      await backend.set(target, 'clean')
      await damage(bad)
      const files = await images.files()
      const before = await readFile(good)
      for (const operation of Object.values(writers(backend, target))) {
        const error: Error = await operation().then(
          () => new Error('nothing was thrown'),
          (thrown: Error) => thrown,
        )
        expect(error).toMatchObject({ code })
        expect(error.message.split('\n')[0]).toMatch(message)
        expect(error.message).toContain(bad)
      }
      await expect(backend.show(target)).rejects.toMatchObject({ code })
      expect(await images.files()).toEqual(files)
      expect(before.equals(await readFile(good))).toBe(true)
    },
  )

  test('a raw disk is refused', async () => {
    const file = join(images.directory, 'a.img')
    await writeFile(file, Buffer.alloc(512))
    const target: ImageTarget = { disks: [{ name: 'disk', file, format: 'raw' }] }
    await expect(backend.set(target, 'x')).rejects.toMatchObject({ code: 'IMAGE_NOT_QCOW2' })
  })

  test('while a QEMU runs on one of the disks, states are shown but not changed', async () => {
    const [idle, busy] = [images.create('a.qcow2', 1), images.create('b.qcow2', 2)]
    const target = images.target(idle, busy)
    await backend.set(target, 'clean')
    await occupy(busy)
    const files = await images.files()
    const before = await readFile(idle)
    expect((await backend.show(target)).map(({ name }) => name)).toEqual(['clean'])
    expect(await backend.check(target, 'clean')).toBe(true)
    for (const operation of Object.values(writers(backend, target))) {
      await expect(operation()).rejects.toMatchObject({
        code: 'IMAGE_IN_USE',
        message: expect.stringContaining(`${busy} is in use by another process`),
      })
    }
    expect(await images.files()).toEqual(files)
    expect((await backend.show(target)).map(({ name }) => name)).toEqual(['clean'])
    if (backend === externalBackend) expect(before.equals(await readFile(idle))).toBe(true)
    expect(await images.read(idle)).toBe(1)
  })

  test('two commands at once on one image: one works, the other says so', async () => {
    const file = images.create('a.qcow2', 1)
    const target = images.target(file)
    const results = await Promise.allSettled([backend.set(target, 'x'), backend.set(target, 'y')])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'IMAGE_IN_USE', message: expect.stringContaining('another command') },
    })
    expect(await backend.show(target)).toHaveLength(1)
  })

  test('an image or a folder that the user may not write is named', async () => {
    const file = images.create('a.qcow2', 1)
    await backend.set(images.target(file), 'clean')
    await chmod(images.directory, 0o555)
    await chmod(file, 0o444)
    const files = await images.files()
    const { stdout } = await runScript(
      `import { ${backend.name}Backend as backend } from '${sourceFile(`backends/${backend.name}/${backend.name}-backend.ts`)}'
       const target = { disks: [{ name: 'disk', file: process.argv[2], format: 'qcow2' }] }
       for (const work of [
         () => backend.get(target, 'clean'),
         () => backend.set(target, 'new'),
         () => backend.unset(target, 'clean'),
       ]) await work().catch((error) => console.log(error.code, error.message))`,
      [file],
      { unprivileged: true },
    )
    await chmod(images.directory, 0o755)
    expect(stdout.trim().split('\n')).toHaveLength(3)
    for (const line of stdout.trim().split('\n')) {
      expect(line).toMatch(
        /^ACCESS_DENIED \S.*\/images-\S+.* by this user|is not accessible for this user/,
      )
    }
    expect(await images.files()).toEqual(files)
  })

  test('a full disk under one of two images leaves both as they were', async () => {
    const mount = 'mount -t tmpfs -o size=1m none "$0" && exec "$@"'
    const small = join(images.directory, 'small')
    execFileSync('mkdir', [small])
    const { stdout, stderr } = await runScript(
      `import { execFileSync } from 'node:child_process'
       import { readdirSync, writeFileSync, rmSync } from 'node:fs'
       import { ${backend.name}Backend as backend } from '${sourceFile(`backends/${backend.name}/${backend.name}-backend.ts`)}'
       const [roomy, small] = process.argv.slice(2)
       const files = [roomy + '/a.qcow2', small + '/b.qcow2']
       for (const file of files) execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', file, '1M'])
       const target = { disks: files.map((file, index) => ({ name: 'd' + index, file, format: 'qcow2' })) }
       await backend.set(target, 'clean')
       const look = async () => JSON.stringify([
         (await backend.show({ disks: [target.disks[0]] })).map(({ name }) => name),
         (await backend.show(target)).map(({ name }) => name),
         readdirSync(roomy), readdirSync(small),
       ])
       let space = 1 << 20
       for (const step of [1 << 16, 1 << 12]) for (let i = 0; ; i++) {
         try { writeFileSync(small + '/fill-' + step + '-' + i, Buffer.alloc(step)) } catch { break }
       }
       const before = await look()
       for (const [name, work] of [
         ['get', () => backend.get(target, 'clean')],
         ['set', () => backend.set(target, 'new')],
         ['over', () => backend.set(target, 'clean')],
       ]) {
         const code = await work().then(() => 'done', (error) => error.code)
         console.log(name, code, (await look()) === before ? 'unchanged' : await look() + ' was ' + before)
       }`,
      [images.directory, small],
      { prefix: ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', mount, small] },
    )
    expect(stderr).toBe('')
    expect(stdout.trim().split('\n')).toEqual([
      'get DISK_FULL unchanged',
      'set DISK_FULL unchanged',
      'over DISK_FULL unchanged',
    ])
  })
})
