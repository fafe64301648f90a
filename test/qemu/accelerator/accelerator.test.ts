import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type BootProof, boots } from '../../../src/qemu/accelerator/boot-proof.js'
import { chooseAccelerator, kvmObstacle } from '../../../src/qemu/accelerator/choose.js'
import { provenKvm } from '../../../src/qemu/accelerator/kvm-proof.js'
import { tinyGuest } from '../../support/tiny.js'
import { temporaryDirectory } from '../machine/bare-machine.js'

const qemu = { binary: 'qemu-system-x86_64', cpuModel: 'qemu64' }

const directory = temporaryDirectory

const noGuest = async (): Promise<never> => {
  throw new Error('no guest was needed')
}

const proof = async (options: Pick<BootProof, 'guest' | 'timeout' | 'signal'>) =>
  boots('tcg', { ...qemu, ...options, directory: await directory() })

beforeEach(async () => {
  vi.stubEnv('XDG_CACHE_HOME', await temporaryDirectory())
})

afterEach(() => {
  vi.unstubAllEnvs()
})

test.each(['kvm', 'tcg'] as const)('VM_STATES_ACCEL=%s overrules', async (wanted) => {
  vi.stubEnv('VM_STATES_ACCEL', wanted)
  expect(await chooseAccelerator({ ...qemu, guest: noGuest, directory })).toMatchObject({
    accelerator: wanted,
  })
})

test('any other VM_STATES_ACCEL is refused', async () => {
  vi.stubEnv('VM_STATES_ACCEL', 'hvf')
  await expect(chooseAccelerator({ ...qemu, guest: noGuest, directory })).rejects.toMatchObject({
    code: 'INVALID_VALUE',
    message: expect.stringContaining('VM_STATES_ACCEL is "hvf"'),
  })
})

test('a KVM device that is not there, or cannot be opened, is an obstacle that is told', async () => {
  expect(await kvmObstacle('/no/such/kvm')).toBe('this host has no /no/such/kvm')
  expect(await kvmObstacle('/dev/null/kvm')).toContain('may not open /dev/null/kvm')
})

test('what does not boot under KVM is no proof, and is not tried again on this boot', async () => {
  const kernel = join(await temporaryDirectory(), 'kernel')
  await writeFile(kernel, 'no kernel')
  const guest = vi.fn(async () => ({ kernel }))
  expect(await provenKvm({ ...qemu, guest, directory })).toBe(false)
  expect(await provenKvm({ ...qemu, guest, directory })).toBe(false)
  expect(guest).toHaveBeenCalledTimes(1)
  expect(await provenKvm({ ...qemu, cpuModel: 'qemu32', guest, directory })).toBe(false)
  expect(guest).toHaveBeenCalledTimes(2)
})

test('a guest that prints nothing of a kernel does not boot', async () => {
  const kernel = join(await temporaryDirectory(), 'kernel')
  await writeFile(kernel, 'no kernel')
  expect(await proof({ guest: { kernel }, timeout: 5000 })).toBe(false)
})

test('a Linux guest that reaches its first process boots', async () => {
  const { directKernel: guest } = await tinyGuest()
  expect(await proof({ guest, timeout: 30_000 })).toBe(true)
})

test('a proof of a boot can be cancelled', async () => {
  const { directKernel: guest } = await tinyGuest()
  const signal = AbortSignal.timeout(300)
  await expect(proof({ guest, timeout: 30_000, signal })).rejects.toMatchObject({
    code: 'ABORTED',
  })
})
