import { mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { spawnTpm } from '../../../src/qemu/machine/spawn-tpm.js'
import { launchBare, temporaryDirectory } from './bare-machine.js'

test('a host without swtpm is told what to install', async () => {
  vi.stubEnv('PATH', '/nowhere')
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  const directory = await temporaryDirectory()
  await using log = await open(join(directory, 'log'), 'w')
  await expect(spawnTpm(join(directory, 'tpm'), log.fd)).rejects.toMatchObject({
    code: 'TPM_MISSING',
    hint: expect.stringContaining('package swtpm'),
  })
})

test('a TPM whose file is no TPM is an error with what it said', async () => {
  const directory = join(await temporaryDirectory(), 'a,b  c')
  await mkdir(directory)
  const file = join(directory, 'tpm')
  await writeFile(file, 'no TPM'.repeat(1000))
  const disks = [{ name: 'tpm', role: 'tpm' as const, file, format: 'raw' as const }]
  await expect(launchBare({ disks })).rejects.toMatchObject({ code: 'QEMU_EXITED' })
  await writeFile(file, '')
  expect((await launchBare({ disks, paused: true })).running).toBe(true)
})
