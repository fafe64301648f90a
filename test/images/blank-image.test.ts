import { afterEach, beforeEach, expect, test } from 'vitest'
import { identifyImage } from '../../src/images/identify-image.js'
import { image } from '../../src/images/image.js'
import { resolveImage } from '../../src/images/resolve-image.js'
import { imageSchema } from '../../src/params/image.js'
import { readQcow2Header } from '../../src/qemu/qcow2/header.js'
import { makeScratch, type Scratch } from './scratch.js'

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch()
})

afterEach(async () => {
  await scratch[Symbol.asyncDispose]()
})

test('a blank image is an empty qcow2 disk of its size, made once', async () => {
  const blank = imageSchema.parse(image.blank('3 GiB'))
  const first = await resolveImage(blank, scratch.store)
  expect(first.identity).toBe('blank:3221225472')
  expect(first.identity).toBe(await identifyImage(blank, scratch.store))
  const header = await readQcow2Header(first.disk.file)
  expect(header).toMatchObject({ virtualSize: 3 * 2 ** 30 })
  expect(header.backingFile).toBeUndefined()
  expect(await resolveImage(blank, scratch.store)).toEqual(first)
  expect(await scratch.store.objects.list()).toHaveLength(1)
})

test('the tiny image has an identity before it is built', async () => {
  const identity = await identifyImage({ kind: 'tiny', arch: 'x86_64' }, scratch.store)
  expect(identity).toMatch(/^tiny:[0-9a-f]{64}$/)
  expect(await identifyImage({ kind: 'tiny', arch: 'x86_64' }, scratch.store)).toBe(identity)
  expect(await scratch.store.objects.list()).toEqual([])
})
