import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
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
  const directory = await temporaryDirectory()
  const binary = join(directory, 'qemu')
  const count = join(directory, 'count')
  const script = (version: string) =>
    `#!/bin/sh\necho x >> ${count}\necho "QEMU emulator version ${version} (Debian)"\n`
  await writeFile(binary, script('7.2.22'), { mode: 0o755 })
  expect(await qemuVersion(binary)).toBe('7.2.22')
  expect(await qemuVersion(binary)).toBe('7.2.22')
  expect(execFileSync('wc', ['-l', count], { encoding: 'utf8' })).toMatch(/^1 /)
  await writeFile(binary, script('10.0.2'))
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
