import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const TOOLS = [
  'qemu-system-x86_64',
  'qemu-img',
  'mke2fs',
  'setpriv',
  'dpkg-deb',
  'xz',
  'mmdebstrap',
  'fakechroot',
  'fakeroot',
  'chromium',
  'ssh',
  'swtpm',
  'qemu-system-aarch64',
]

let checkout: string
let bin: string

beforeEach(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'vm-states-bootstrap-'))
  bin = join(checkout, 'bin')
  await mkdir(bin)
  await mkdir(join(checkout, 'scripts'))
  await mkdir(join(checkout, 'node_modules'))
  await copyFile(join(root, 'scripts/bootstrap.mjs'), join(checkout, 'scripts/bootstrap.mjs'))
  await writeFile(join(checkout, 'package-lock.json'), '{}')
  await writeFile(join(checkout, 'node_modules/.package-lock.json'), '{}')
  for (const tool of TOOLS) await tools(tool, 'exit 0')
})

afterEach(async () => {
  await rm(checkout, { recursive: true })
})

async function tools(name: string, script: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`)
  await chmod(join(bin, name), 0o755)
}

/** Runs the bootstrap where only the tools in `bin` exist, as if for a user with this id. */
function bootstrap({ uid = 1000, node = process.versions.node } = {}) {
  const pretend = `
    process.getuid = () => ${uid}
    Object.defineProperty(process, 'versions', { value: { node: '${node}' } })`
  return execa(
    process.execPath,
    [`--import=data:text/javascript,${encodeURIComponent(pretend)}`, 'scripts/bootstrap.mjs'],
    {
      cwd: checkout,
      env: { PATH: bin, LOG: join(checkout, 'log') },
      extendEnv: false,
      all: true,
      reject: false,
    },
  )
}

describe('the bootstrap', () => {
  test('says nothing and takes under a second when nothing is missing', async () => {
    const { exitCode, all, durationMs } = await bootstrap()
    expect({ exitCode, all }).toEqual({ exitCode: 0, all: '' })
    expect(durationMs).toBeLessThan(1000)
  })

  test('refuses a Node that is too old and says which is needed', async () => {
    for (const node of ['18.20.4', '20.18.3']) {
      const { exitCode, all } = await bootstrap({ node })
      expect(exitCode).toBe(1)
      expect(all).toContain(`Node ${node} is too old: 20.19 or newer is needed`)
    }
  })

  test('tells an ordinary user the one command that installs what is missing', async () => {
    await rm(join(bin, 'qemu-img'))
    await tools('apt-get', 'echo should not run')
    const { exitCode, all } = await bootstrap()
    expect(exitCode).toBe(1)
    expect(all).toContain(
      `sudo sh -c 'apt-get update && apt-get install --yes --no-install-recommends qemu-utils'`,
    )
    expect(all).not.toContain('should not run')
  })

  test('installs as root exactly what is missing, and updates the lists when that fails', async () => {
    await rm(join(bin, 'qemu-img'))
    await rm(join(bin, 'qemu-system-x86_64'))
    // The install fails until the lists were updated.
    await tools(
      'apt-get',
      'echo "apt: $DEBIAN_FRONTEND $*"; [ "$1" = update ] && : > "$LOG"; [ -e "$LOG" ]',
    )
    const { exitCode, all } = await bootstrap({ uid: 0 })
    expect(exitCode).toBe(0)
    const install =
      'apt: noninteractive install --yes --no-install-recommends qemu-system-x86 qemu-utils'
    expect(all).toContain('missing: qemu-system-x86_64, qemu-img')
    expect(all).toMatch(new RegExp(`apt: noninteractive update\\n[^]*${install}$`))
  })

  test('fails when apt-get cannot install', async () => {
    await rm(join(bin, 'qemu-img'))
    await tools('apt-get', 'echo no network; exit 100')
    const { exitCode, all } = await bootstrap({ uid: 0 })
    expect(exitCode).toBe(1)
    expect(all).toContain('no network')
    expect(all).toContain('apt-get failed')
  })

  test('says so where there is no apt-get', async () => {
    await rm(join(bin, 'qemu-img'))
    const { exitCode, all } = await bootstrap({ uid: 0 })
    expect(exitCode).toBe(1)
    expect(all).toContain('missing: qemu-img')
    expect(all).toContain('there is no apt-get here')
  })

  test('installs the npm packages when they are missing or older than the lockfile', async () => {
    await tools('npm', 'echo "npm: $*"; : > node_modules/.package-lock.json')
    await symlink('/bin/sh', join(bin, 'sh'))
    await utimes(
      join(checkout, 'package-lock.json'),
      Date.now() / 1000 + 60,
      Date.now() / 1000 + 60,
    )
    expect((await bootstrap()).all).toContain('npm: ci')
    await rm(join(checkout, 'node_modules/.package-lock.json'))
    expect((await bootstrap()).all).toContain('npm: ci')
    await utimes(join(checkout, 'package-lock.json'), 0, 0)
    expect((await bootstrap()).all).toBe('')
  })

  test('fails when npm does', async () => {
    await tools('npm', 'exit 1')
    await rm(join(checkout, 'node_modules/.package-lock.json'))
    const { exitCode, all } = await bootstrap()
    expect(exitCode).toBe(1)
    expect(all).toContain('npm ci failed')
  })
})
