import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { buildTiny, TINY_FILES } from '../../../src/images/tiny/build.js'
import { convert } from '../../../src/qemu/qemu-img/convert.js'
import { sourceFile, startScript } from '../../support/script.js'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tiny-build-'))
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(directory, { recursive: true, force: true })
})

test('an ordinary user builds the guest, though the system has no package lists', {
  timeout: 180_000,
}, async () => {
  await chmod(directory, 0o777)
  const config = join(directory, 'apt.conf')
  await writeFile(config, `Dir::State::lists "${join(directory, 'no-lists')}";\n`)
  const built = join(directory, 'built')
  const source = `
    import { mkdir } from 'node:fs/promises'
    import { buildTiny } from '${sourceFile('images/tiny/build.ts')}'
    await mkdir('${built}')
    process.umask(0o077)
    await buildTiny('${built}', 'x86_64', undefined, (activity) => console.log(activity))`
  await using script = await startScript(source, [], {
    unprivileged: true,
    env: { APT_CONFIG: config },
  })
  const { stdout, stderr } = await script.ended
  expect(stderr).toBe('')
  expect(stdout).toContain('fetching package lists')

  expect((await readdir(built)).sort()).toEqual(Object.values(TINY_FILES).sort())
  const sizes = await Promise.all(
    Object.values(TINY_FILES).map(async (name) => (await stat(join(built, name))).size),
  )
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(64 * 2 ** 20)

  const to = join(directory, 'disk.raw')
  await convert({ from: join(built, TINY_FILES.disk), fromFormat: 'qcow2', to, toFormat: 'raw' })
  execFileSync('/usr/sbin/e2fsck', ['-fn', to], { stdio: 'ignore' })
  const modeAndOwner = (path: string) => {
    const shown = execFileSync('/usr/sbin/debugfs', ['-R', `stat ${path}`, to], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const found = /Mode: +(\d+)[\s\S]*User: +(\d+) +Group: +(\d+)/.exec(shown.toString())
    return found?.slice(1).join(' ')
  }
  expect(['/', '/etc', '/etc/passwd', '/bin/busybox', '/root', '/tmp'].map(modeAndOwner)).toEqual([
    '0755 0 0',
    '0755 0 0',
    '0644 0 0',
    '0755 0 0',
    '0700 0 0',
    '01777 0 0',
  ])
})

test('a directory whose path is too long for apt is named', async () => {
  const long = join(directory, ...['a', 'b', 'c'].map((letter) => letter.repeat(200)))
  await mkdir(long, { recursive: true })
  await expect(buildTiny(long, 'x86_64', undefined, () => {})).rejects.toMatchObject({
    code: 'TINY_UNAVAILABLE',
    message: expect.stringMatching(/^apt-get left 0 of \d+ packages in \/.*ccc/),
  })
})

test('a host without apt is told what to use instead', async () => {
  vi.stubEnv('PATH', directory)
  const failed = buildTiny(directory, 'x86_64')
  await expect(failed).rejects.toMatchObject({
    code: 'TINY_UNAVAILABLE',
    message: expect.stringMatching(/this host has no apt\n.*image\.file\(\) or image\.url\(\)/),
  })
  expect(await readdir(directory)).toEqual([])
})

test('a host whose sources have no such packages is told so', async () => {
  const config = join(directory, 'apt.conf')
  const sources = join(directory, 'sources')
  await mkdir(sources)
  await writeFile(
    config,
    `Dir::State::lists "${join(directory, 'no-lists')}";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "${sources}";
Dir::State::status "/dev/null";
`,
  )
  vi.stubEnv('APT_CONFIG', config)
  const built = join(directory, 'built')
  await mkdir(built)
  await expect(buildTiny(built, 'x86_64')).rejects.toMatchObject({
    code: 'TINY_UNAVAILABLE',
    message: 'apt knows no package for a Linux kernel, busybox-static, qemu-guest-agent, perl-base',
  })
  expect(await readdir(built)).toEqual([])
})

test('a build that is cancelled leaves nothing', async () => {
  const cancel = new AbortController()
  const cancelled = buildTiny(directory, 'x86_64', cancel.signal, () => cancel.abort())
  await expect(cancelled).rejects.toMatchObject({ code: 'ABORTED' })
  expect(await readdir(directory)).toEqual([])
})
