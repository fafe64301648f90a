import { mkdir, open, stat, writeFile } from 'node:fs/promises'
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

test('the path of what a TPM stores may have commas and spaces', async () => {
  const directory = join(await temporaryDirectory(), 'a,b  c')
  await mkdir(directory)
  const file = join(directory, 'tpm')
  await writeFile(file, '')
  const disks = [{ name: 'tpm', role: 'tpm' as const, file, format: 'raw' as const }]
  const machine = await launchBare({ disks })
  await expect.poll(async () => (await stat(file)).size).toBeGreaterThan(0)
  await machine.close()
})
