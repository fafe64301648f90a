// node scripts/campaigns/qemu-versions.mjs
//
// Runs examples/matrix on the host's QEMU and on QEMU 10 from Debian's backports, as two projects of
// one run, and the tests of machines, backends and live states on QEMU 10 alone. The packages are fetched by apt with lists of its own and unpacked, not installed; for
// hosts that run Debian 12 with QEMU. Ends with 1 unless disk states were built once for both, live
// states once for each, and nothing in a second run.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { createJiti } from 'jiti'

const jiti = createJiti(import.meta.url)
const { makeStoreWithTiny } = await jiti.import('../../test/support/store-with-tiny.ts')

const root = resolve(import.meta.dirname, '../..')
const scratch = mkdtempSync(join(tmpdir(), 'qemu-versions-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

const SOURCES = ['bookworm', 'bookworm-backports']
  .map((suite) => `http://deb.debian.org/debian ${suite} main`)
  .map((source) => `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${source}\n`)
  .join('')

/** Unpacks QEMU 10, and returns a program that runs it with its own firmware. */
function fetchQemu() {
  const apt = join(scratch, 'apt')
  for (const folder of ['lists/partial', 'archives/partial']) {
    mkdirSync(join(apt, folder), { recursive: true })
  }
  writeFileSync(join(apt, 'sources.list'), SOURCES)
  const places = {
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::Cache': apt,
    'Dir::Cache::archives': join(apt, 'archives'),
    'Dir::Etc::SourceList': join(apt, 'sources.list'),
    'Dir::Etc::SourceParts': '-',
    'APT::Sandbox::User': 'root',
    'Debug::NoLocking': 'true',
  }
  const options = Object.entries(places).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const get = (...args) => execFileSync('apt-get', ['-qq', ...options, ...args])
  get('update')
  const install = ['install', '--yes', '--download-only', '--no-install-recommends']
  get(...install, '--target-release=bookworm-backports', 'qemu-system-x86')
  const unpacked = join(scratch, 'qemu-10')
  for (const name of readdirSync(join(apt, 'archives'))) {
    if (!name.endsWith('.deb')) continue
    execFileSync('dpkg-deb', ['--extract', join(apt, 'archives', name), unpacked])
  }
  const program = join(scratch, 'qemu-10-x86_64')
  const usr = join(unpacked, 'usr')
  const firmware = ['qemu', 'seabios'].map((name) => `-L '${join(usr, 'share', name)}'`).join(' ')
  writeFileSync(
    program,
    `#!/bin/sh
export LD_LIBRARY_PATH='${join(usr, 'lib/x86_64-linux-gnu')}'
export QEMU_MODULE_DIR='${join(usr, 'lib/x86_64-linux-gnu/qemu')}'
exec '${join(usr, 'bin/qemu-system-x86_64')}' ${firmware} "$@"
`,
  )
  chmodSync(program, 0o755)
  return program
}

const version = (qemu) => execFileSync(qemu, ['--version'], { encoding: 'utf8' }).split('\n')[0]

async function runMatrix(qemus, store) {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const { exitCode, all } = await execa(process.execPath, [vitest, 'run'], {
    cwd: join(root, 'examples/matrix'),
    env: { QEMUS: qemus.join(','), VM_STATES_STORE: store, NO_COLOR: '1' },
    all: true,
    reject: false,
  })
  console.log(all)
  assert.equal(exitCode, 0, 'a test failed')
  const built = (state) => all.split(`vm-states: built ${state} in`).length - 1
  return Object.fromEntries(
    ['small/site', 'large/site', 'small/serving', 'large/serving'].map((state) => [
      state,
      built(state),
    ]),
  )
}

/** What depends most on QEMU's version. */
const TESTS = [
  'test/qemu/machine',
  'test/qemu/host-memory',
  'test/backends',
  'test/states/machines',
]

/** Runs tests of this package where `qemu-system-x86_64` is another program. */
async function runTests(qemu) {
  const bin = join(scratch, 'bin')
  mkdirSync(bin)
  symlinkSync(qemu, join(bin, 'qemu-system-x86_64'))
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const { exitCode, all } = await execa(
    process.execPath,
    [vitest, 'run', '--configLoader=runner', ...TESTS],
    {
      cwd: root,
      env: { PATH: `${bin}:${process.env.PATH}`, NO_COLOR: '1' },
      all: true,
      reject: false,
    },
  )
  console.log(all)
  assert.equal(exitCode, 0, 'a test failed')
}

execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' })
const qemus = ['qemu-system-x86_64', fetchQemu()]
for (const qemu of qemus) console.log(version(qemu))
const store = join(scratch, 'store')
await makeStoreWithTiny(store)
const sites = { 'small/site': 1, 'large/site': 1 }
assert.deepEqual(await runMatrix(qemus, store), {
  ...sites,
  'small/serving': 2,
  'large/serving': 2,
})
const none = { 'small/site': 0, 'large/site': 0, 'small/serving': 0, 'large/serving': 0 }
assert.deepEqual(await runMatrix(qemus, store), none)
await runTests(qemus[1])
console.log('disk states were built once, live states once for each QEMU')
