import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { internalBackend } from '../../../src/backends/internal/internal-backend.js'
import { createBlank } from '../../../src/qemu/qemu-img/create.js'
import {
  checkState,
  getState,
  popState,
  pushState,
  setState,
  showStates,
  unsetState,
} from '../../../src/states/policies/operations.js'

let directory: string
let file: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vms-policies-'))
  file = join(directory, 'disk.qcow2')
  await createBlank(file, 2 ** 20)
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const subject = (tag: string) => ({
  backend: internalBackend,
  target: { disks: [{ name: 'image', file, format: 'qcow2' as const }] },
  tag,
})
const names = async () => (await showStates(subject('any'))).map(({ name }) => name)

it('policies work on the states of a real image', async () => {
  expect(await checkState(subject('clean'))).toBe(false)
  expect(await setState(subject('clean'))).toBe('created')
  expect(await setState(subject('clean'))).toBe('replaced')
  expect(await pushState(subject('next'))).toBe('created')
  await expect(pushState(subject('next'))).rejects.toMatchObject({ code: 'STATE_EXISTS' })
  expect(await names()).toEqual(['clean', 'next'])
  expect(await getState(subject('clean'))).toBe('restored')
  await expect(getState(subject('other'))).rejects.toMatchObject({ code: 'STATE_MISSING' })
  expect(await popState(subject('next'))).toBe('removed')
  expect(await unsetState(subject('clean'))).toBe('removed')
  expect(await unsetState(subject('clean'))).toBe('ignored')
  expect(await names()).toEqual([])
})
