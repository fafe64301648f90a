import { execFileSync } from 'node:child_process'
import { copyFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { findQemu } from '../../src/qemu/machine/find-binary.js'
import { qemuVersion } from '../../src/qemu/version.js'
import { temporaryDirectory } from './machine/bare-machine.js'

beforeEach(async () => {
  vi.stubEnv('XDG_CACHE_HOME', await temporaryDirectory())
})

afterEach(() => {
  vi.unstubAllEnvs()
})

test('the version is what QEMU prints', async () => {
  const printed = execFileSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' })
  const version = await qemuVersion('qemu-system-x86_64')
  expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  expect(printed).toContain(`version ${version}`)
})

test('a binary is asked once, until another file takes its place', async () => {
  const binary = join(await temporaryDirectory(), 'qemu')
  const replace = async () => {
    await rm(binary, { force: true })
    await copyFile(await findQemu('qemu-system-x86_64'), binary)
  }
  await replace()
  const version = await qemuVersion(binary)
  const records = join(process.env.XDG_CACHE_HOME ?? '', 'vitest-vm-states', 'host')
  const [record = ''] = await readdir(records)
  await writeFile(join(records, record), '9.9.9')
  expect(await qemuVersion(binary)).toBe('9.9.9')
  await replace()
  expect(await qemuVersion(binary)).toBe(version)
})

test('a script is asked each time, since it may run another one', async () => {
  const directory = await temporaryDirectory()
  const [binary, version] = [join(directory, 'qemu'), join(directory, 'version')]
  const script = `#!/bin/sh\necho "QEMU emulator version $(cat ${version}) (Debian)"\n`
  await writeFile(binary, script, { mode: 0o755 })
  await writeFile(version, '7.2.22')
  expect(await qemuVersion(binary)).toBe('7.2.22')
  await writeFile(version, '10.0.2')
  expect(await qemuVersion(binary)).toBe('10.0.2')
})

test('a cache that cannot be written costs no answer', async () => {
  vi.stubEnv('XDG_CACHE_HOME', '/dev/null')
  expect(await qemuVersion('qemu-system-x86_64')).toMatch(/^\d+\./)
})

test('what is not there, or is no QEMU, is told as missing', async () => {
  await expect(qemuVersion('/no/qemu')).rejects.toMatchObject({ code: 'QEMU_MISSING' })
  await expect(qemuVersion('true')).rejects.toMatchObject({
    code: 'QEMU_MISSING',
    message: expect.stringContaining('does not say its version'),
  })
})
