import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { externalBackend } from '../../src/backends/external/external-backend.js'
import { internalBackend } from '../../src/backends/internal/internal-backend.js'
import { Images } from './images.js'

let images: Images

beforeEach(async () => {
  images = await Images.open()
})

afterEach(() => images[Symbol.asyncDispose]())

/** An image of the format on another. */
function overlay(name: string, backing: string, format: string): string {
  const file = images.create(name, 1)
  execFileSync('qemu-img', ['rebase', '-u', '-f', 'qcow2', '-F', format, '-b', backing, file])
  return file
}

describe.each([internalBackend, externalBackend])('a state in the backend $name', (backend) => {
  const unsound: [string, string, RegExp, () => string][] = [
    [
      'whose qcow2 backing file is missing',
      'IMAGE_MISSING',
      /top\.qcow2 stands on .*gone\.qcow2, which does not exist$/,
      () => overlay('top.qcow2', 'gone.qcow2', 'qcow2'),
    ],
    [
      'whose raw backing file is missing',
      'IMAGE_MISSING',
      /top\.qcow2 stands on .*gone\.raw, which does not exist$/,
      () => overlay('top.qcow2', 'gone.raw', 'raw'),
    ],
    [
      'that is its own backing file through another',
      'IMAGE_UNSUPPORTED',
      /top\.qcow2 is its own backing file, through .*top\.qcow2$/,
      () => {
        overlay('other.qcow2', 'top.qcow2', 'qcow2')
        return overlay('top.qcow2', 'other.qcow2', 'qcow2')
      },
    ],
  ]

  test.each(unsound)('is not set of an image %s', async (_, code, message, make) => {
    const file = make()
    const files = await images.files()
    const before = await readFile(file)
    const error: Error = await backend.set(images.target(file), 'x').then(
      () => new Error('nothing was thrown'),
      (thrown: Error) => thrown,
    )
    expect(error).toMatchObject({ code })
    expect(error.message.split('\n')[0]).toMatch(message)
    expect(await images.files()).toEqual(files)
    expect(before.equals(await readFile(file))).toBe(true)
  })

  test('is set of an image whose backing file was put back', async () => {
    const file = overlay('top.qcow2', 'base.qcow2', 'qcow2')
    await expect(backend.set(images.target(file), 'x')).rejects.toThrow('does not exist')
    images.create('base.qcow2', 1)
    await backend.set(images.target(file), 'x')
    expect(await backend.check(images.target(file), 'x')).toBe(true)
  })
})
