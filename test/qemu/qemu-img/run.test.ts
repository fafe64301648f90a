import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { QemuImgError } from '../../../src/qemu/qemu-img/error.js'
import { runQemuImg } from '../../../src/qemu/qemu-img/run.js'
import { Images } from '../../backends/images.js'

let images: Images
const { PATH } = process.env

beforeEach(async () => {
  images = await Images.open()
})

afterEach(async () => {
  process.env.PATH = PATH
  await images[Symbol.asyncDispose]()
})

/** Puts another program in the place of qemu-img. */
async function replaceQemuImg(script: string): Promise<void> {
  const folder = join(images.directory, 'bin')
  await mkdir(folder)
  await writeFile(join(folder, 'qemu-img'), `#!/bin/sh\n${script}\n`)
  await chmod(join(folder, 'qemu-img'), 0o755)
  process.env.PATH = `${folder}:${PATH}`
}

test('a failed command is an error with its command, exit code and output', async () => {
  const args = ['info', '-f', 'qcow2', '/no/such.qcow2']
  const error: unknown = await runQemuImg(args, '/no/such.qcow2').catch((thrown) => thrown)
  expect(error).toBeInstanceOf(QemuImgError)
  expect(error).toMatchObject({
    code: 'QEMU_IMG_FAILED',
    command: ['qemu-img', ...args],
    exitCodeOfTool: 1,
    output: expect.stringContaining('No such file or directory'),
    message: expect.stringMatching(
      /^qemu-img info on \/no\/such.qcow2 failed with exit code 1: .*$/,
    ),
  })
})

test('a command that a signal ended says so', async () => {
  await replaceQemuImg('kill -SEGV $$')
  await expect(runQemuImg(['info'], 'a.qcow2')).rejects.toMatchObject({
    code: 'QEMU_IMG_FAILED',
    exitCodeOfTool: undefined,
    message: 'qemu-img info on a.qcow2 was ended by SIGSEGV',
  })
})

test('a missing qemu-img is an error that says what to install', async () => {
  process.env.PATH = images.directory
  await expect(runQemuImg(['info'], 'a.qcow2')).rejects.toMatchObject({
    code: 'QEMU_IMG_MISSING',
    hint: expect.stringContaining('apt-get install qemu-utils'),
  })
})

describe('a command that does not end', () => {
  beforeEach(() => replaceQemuImg('exec sleep 60'))

  test('is killed after its deadline', async () => {
    await expect(runQemuImg(['info'], 'a.qcow2', { timeout: 200 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: 'qemu-img info on a.qcow2 did not end within 0.2 s',
    })
  })

  test('is killed when its caller cancels', async () => {
    const signal = AbortSignal.timeout(200)
    await expect(runQemuImg(['info'], 'a.qcow2', { signal })).rejects.toMatchObject({
      code: 'ABORTED',
    })
  })
})
