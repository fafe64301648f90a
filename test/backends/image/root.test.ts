import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { externalBackend } from '../../../src/backends/external/external-backend.js'
import { checkRoot, getRoot, setRoot, unsetRoot } from '../../../src/backends/image/root.js'
import { internalBackend } from '../../../src/backends/internal/internal-backend.js'
import { createOverlay } from '../../../src/qemu/qemu-img/create.js'
import { Images } from '../images.js'

let images: Images

beforeEach(async () => {
  images = await Images.open()
})

afterEach(() => images[Symbol.asyncDispose]())

test('a root is there if every image is', async () => {
  const file = images.create('a.qcow2', 1)
  const missing = join(images.directory, 'b.qcow2')
  expect(await checkRoot(images.target(file))).toBe(true)
  expect(await checkRoot(images.target(file, missing))).toBe(false)
  await getRoot(images.target(file))
  await expect(getRoot(images.target(file, missing))).rejects.toMatchObject({
    code: 'IMAGE_MISSING',
  })
  expect(await images.files()).toEqual(['a.qcow2'])
})

test('a root is made anew, unless an image has states', async () => {
  const [file, missing] = [images.create('a.qcow2', 1), join(images.directory, 'b.qcow2')]
  await expect(setRoot(images.target(file, missing), 2 ** 20)).rejects.toMatchObject({
    code: 'STATE_EXISTS',
  })
  expect([await images.read(file), await images.files()]).toEqual([1, ['a.qcow2']])
  await setRoot(images.target(file, missing), 2 ** 20, { replace: true })
  expect([await images.read(file), await images.read(missing)]).toEqual([0, 0])
  images.write(file, 1)
  for (const backend of [internalBackend, externalBackend]) {
    await backend.set(images.target(file), 'clean')
    await expect(setRoot(images.target(file), 2 ** 20, { replace: true })).rejects.toMatchObject({
      code: 'STATE_HAS_CHILDREN',
    })
    await expect(unsetRoot(images.target(file))).rejects.toThrow(/a.qcow2 has \d states/)
    expect(await images.read(file)).toBe(1)
  }
})

test('a root is removed, with its states when told to', async () => {
  const [a, b] = [images.create('a.qcow2', 1), images.create('b.qcow2', 2)]
  await externalBackend.set(images.target(a), 'clean')
  await unsetRoot(images.target(a, b), { withChildren: true })
  expect(await images.files()).toEqual([])
})

test('a root that others stand on is neither made anew nor removed', async () => {
  const file = images.create('a.qcow2', 1)
  const child = join(images.directory, 'b.qcow2')
  await createOverlay(child, { file, format: 'qcow2' })
  const refusal = { code: 'STATE_HAS_CHILDREN', message: expect.stringContaining('b.qcow2 stands') }
  const target = images.target(file)
  await expect(setRoot(target, 2 ** 20, { replace: true })).rejects.toMatchObject(refusal)
  await expect(unsetRoot(target, { withChildren: true })).rejects.toMatchObject(refusal)
  expect(await images.read(child)).toBe(1)
})
