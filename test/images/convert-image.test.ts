import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { convertImage } from '../../src/images/convert-image.js'
import { imagePath } from '../../src/images/image-path.js'
import { launch } from '../../src/qemu/machine/launch.js'
import { runQemuImg } from '../../src/qemu/qemu-img/run.js'
import { sourceFile, startScript } from '../support/script.js'
import { fillImage, makeScratch, qemuImg, type Scratch } from './scratch.js'

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch()
})

afterEach(async () => {
  await scratch[Symbol.asyncDispose]()
})

const CONTENT = Buffer.alloc(2 ** 20, 'disk')

/** What a guest would read from a qcow2 image. */
async function contentOf(file: string): Promise<Buffer> {
  const raw = `${file}.content`
  await qemuImg('convert', '-f', 'qcow2', '-O', 'raw', file, raw)
  const content = await readFile(raw)
  await rm(raw)
  return content
}

/** A machine that was not let go, on a disk. */
async function launchOn(file: string) {
  await mkdir(scratch.path('run'))
  return launch({
    name: 'user',
    binary: 'qemu-system-x86_64',
    accelerator: 'tcg',
    cpuModel: 'Nehalem',
    machineType: 'q35',
    cpus: 1,
    memory: 64 * 2 ** 20,
    network: 'none',
    extraArgs: [],
    directory: scratch.path('run'),
    disks: [{ name: 'image', file, format: 'qcow2' }],
    paused: true,
  })
}

describe('convertImage', () => {
  test('makes a qcow2 image of a raw one, in a directory that it makes', async () => {
    await writeFile(scratch.path('disk.img'), CONTENT)
    const target = scratch.path('new/directory/disk.qcow2')
    await convertImage(scratch.path('disk.img'), target)
    expect((await contentOf(target)).equals(CONTENT)).toBe(true)
    expect(await readdir(scratch.path('new/directory'))).toEqual(['disk.qcow2'])
  })

  test.each(['vmdk', 'vdi', 'qed'])('reads %s', async (format) => {
    await writeFile(scratch.path('disk.raw'), CONTENT)
    const source = scratch.path(`disk.${format}`)
    await qemuImg('convert', '-f', 'raw', '-O', format, scratch.path('disk.raw'), source)
    const told = format === 'qed' ? { sourceFormat: format } : {}
    await convertImage(source, scratch.path('disk.qcow2'), told)
    expect((await contentOf(scratch.path('disk.qcow2'))).equals(CONTENT)).toBe(true)
  })

  test('makes one file of a chain, and replaces what was there', async () => {
    await writeFile(scratch.path('disk.raw'), CONTENT)
    const overlay = scratch.path('overlay')
    const backing = ['-F', 'raw', '-b', scratch.path('disk.raw')]
    await qemuImg('create', '-q', '-f', 'qcow2', ...backing, overlay)
    await fillImage(overlay, 9, '4k')
    const target = scratch.path('disk.qcow2')
    await writeFile(target, 'older')
    await convertImage(overlay, target)
    await rm(scratch.path('disk.raw'))
    const expected = Buffer.concat([Buffer.alloc(4096, 9), CONTENT.subarray(4096)])
    expect((await contentOf(target)).equals(expected)).toBe(true)
  })

  test('refuses a source or a target that a machine runs on', async () => {
    const used = scratch.path('used.qcow2')
    await qemuImg('create', '-q', '-f', 'qcow2', used, '1M')
    await writeFile(scratch.path('disk.raw'), CONTENT)
    await using _machine = await launchOn(used)
    const inUse = { code: 'IMAGE_IN_USE', message: expect.stringContaining(`${used} is in use`) }
    const before = await readFile(used)
    await expect(convertImage(used, scratch.path('copy.qcow2'))).rejects.toMatchObject(inUse)
    await expect(convertImage(scratch.path('disk.raw'), used)).rejects.toMatchObject(inUse)
    expect((await readFile(used)).equals(before)).toBe(true)
    expect((await readdir(scratch.directory)).sort()).toEqual(['disk.raw', 'run', 'used.qcow2'])
  })

  test('refuses a target that a machine has as a backing file', async () => {
    const base = scratch.path('base.qcow2')
    const top = scratch.path('top.qcow2')
    await qemuImg('create', '-q', '-f', 'qcow2', base, '1M')
    await qemuImg('create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', base, top)
    await writeFile(scratch.path('disk.raw'), CONTENT)
    await using _machine = await launchOn(top)
    await expect(convertImage(scratch.path('disk.raw'), base)).rejects.toMatchObject({
      code: 'IMAGE_IN_USE',
    })
  })

  test('does not convert a file to itself, by whatever name', async () => {
    const file = scratch.path('disk.raw')
    await writeFile(file, CONTENT)
    await link(file, scratch.path('same.qcow2'))
    for (const target of [file, scratch.path('same.qcow2')]) {
      await expect(convertImage(file, target)).rejects.toMatchObject({
        code: 'INVALID_VALUE',
        message: `source and target are the same file: ${file}`,
      })
    }
    expect((await readFile(file)).equals(CONTENT)).toBe(true)
  })

  test.each([
    ['missing.raw', undefined, 'IMAGE_MISSING', 'missing.raw does not exist'],
    ['directory', undefined, 'IMAGE_UNSUPPORTED', 'directory is not a file'],
    ['nameless', undefined, 'IMAGE_FORMAT_UNCLEAR', 'nameless has a name that tells no format'],
    ['nameless', 'vmdk', 'QEMU_IMG_FAILED', 'nameless'],
    ['good.qcow2', 'raw', 'IMAGE_FORMAT_UNCLEAR', 'is to be raw, but starts as qcow2'],
    ['bad.qcow2', undefined, 'IMAGE_DAMAGED', 'bad.qcow2 is truncated or corrupt'],
  ] as const)(
    '%s as %s is an error that leaves the target alone',
    async (name, format, code, says) => {
      await mkdir(scratch.path('directory'))
      await writeFile(scratch.path('nameless'), CONTENT)
      await writeFile(scratch.path('bad.qcow2'), 'QFI\xfb and nothing else', 'latin1')
      await runQemuImg(['create', '-q', '-f', 'qcow2', scratch.path('good.qcow2'), '1M'], 'good')
      await writeFile(scratch.path('target.qcow2'), 'older')
      const before = await readdir(scratch.directory)
      const options = format === undefined ? {} : { sourceFormat: format }
      const converted = convertImage(scratch.path(name), scratch.path('target.qcow2'), options)
      await expect(converted).rejects.toMatchObject({
        code,
        message: expect.stringContaining(says),
      })
      expect(await readFile(scratch.path('target.qcow2'), 'utf8')).toBe('older')
      expect(await readdir(scratch.directory)).toEqual(before)
    },
  )

  test('tells of a target that the user may not write', async () => {
    const source = `
      import { convertImage } from '${sourceFile('images/convert-image.ts')}'
      const options = { sourceFormat: 'raw' }
      await convertImage('/etc/passwd', '/usr/share/disk.qcow2', options).catch((error) =>
        console.log(error.code, error.message))`
    await using script = await startScript(source, [], { unprivileged: true })
    const { stdout } = await script.ended
    expect(stdout).toMatch(/^ACCESS_DENIED /)
  })
})

describe('imagePath', () => {
  test('adds the suffix of the format to a name, and the directory to a relative one', () => {
    expect(imagePath('vm1/disk', 'qcow2', '/images')).toBe('/images/vm1/disk.qcow2')
    expect(imagePath('/other/disk', 'qcow2', '/images')).toBe('/other/disk.qcow2')
    expect(imagePath('disk.img', 'raw', '/images')).toBe('/images/disk.img')
    expect(imagePath('disk', 'qcow2', '.')).toBe(`${process.cwd()}/disk.qcow2`)
  })

  test('knows two formats', () => {
    expect(() => imagePath('disk', 'vmdk' as 'raw', '/images')).toThrow(
      'the format of disk is "vmdk": a format is "qcow2" or "raw"',
    )
  })
})
