import { link } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { externalBackend as external } from '../../../src/backends/external/external-backend.js'
import { helperFile, journalFile, writeJournal } from '../../../src/backends/swap/journal.js'
import { Images } from '../images.js'

let images: Images
beforeEach(async () => {
  images = await Images.open()
})
afterEach(() => images[Symbol.asyncDispose]())

/** Sets a state, and leaves what there is when that is killed at its very end. @returns the image */
async function setAndKill(): Promise<string> {
  const file = images.create('a.qcow2', 1)
  await external.set(images.target(file), 'clean')
  const kept = `${file}.state.clean`
  const backup = helperFile(file, 'backup-1')
  await link(kept, backup)
  const entries = [{ path: file, backup }, { path: kept }]
  await writeJournal({ file: journalFile(file), images: [file], entries })
  return file
}

test('a command that was killed is undone by the next one', async () => {
  const file = await setAndKill()
  await external.set(images.target(file), 'again')
  expect((await external.show(images.target(file))).map(({ name }) => name)).toEqual(['again'])
  expect(await images.read(file)).toBe(1)
})

test('but not where somebody has gone on with what it had made', async () => {
  const file = await setAndKill()
  images.write(file, 2)
  const before = await images.files()
  await expect(external.set(images.target(file), 'again')).rejects.toMatchObject({
    code: 'IMAGE_CHANGED',
    message: expect.stringContaining(file),
  })
  expect(await images.files()).toEqual(before)
  expect(await images.read(file)).toBe(2)
})
