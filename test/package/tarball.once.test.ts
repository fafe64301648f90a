import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeStoreWithTiny } from '../support/store-with-tiny.js'

const root = resolve(import.meta.dirname, '../..')

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vm-states-tarball-'))
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', directory]
  await execa('npm', pack, { cwd: root })
  const tarball = (await readdir(directory)).find((name) => name.endsWith('.tgz'))
  await writeFile(join(directory, 'package.json'), '{ "private": true, "type": "module" }')
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--legacy-peer-deps']
  await execa('npm', [...install, `./${tarball}`], { cwd: directory })
})

afterAll(async () => {
  await rm(directory, { recursive: true })
})

/** Runs a command of the installed package, in a project outside the repository. */
function run(command: string, ...args: string[]) {
  const env = { HOME: directory, XDG_CACHE_HOME: join(directory, 'cache') }
  return execa(join(directory, 'node_modules/.bin', command), args, {
    cwd: directory,
    env,
    reject: false,
  })
}

describe('the packed package', () => {
  test('holds what is built, its documents and its license, and nothing else', async () => {
    const files = await readdir(join(directory, 'node_modules/vitest-vm-states'))
    const allowed = ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'docs', 'package.json']
    expect(allowed).toEqual(expect.arrayContaining(files))
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'dist', 'docs', 'package.json']))
  })

  test.each(['states', 'vitest-vm-states'])('brings the command %s', async (command) => {
    await execa('qemu-img', [
      'create',
      '-q',
      '-f',
      'qcow2',
      join(directory, `${command}.qcow2`),
      '1M',
    ])
    expect(await run(command, 'set', `${command}.qcow2`, 'clean')).toMatchObject({ exitCode: 0 })
    const { stdout } = await run(command, 'show', `${command}.qcow2`, '--json')
    expect(JSON.parse(stdout)).toMatchObject({ states: [{ name: 'clean', backend: 'external' }] })
  })

  test('loads a configuration in TypeScript, and gives it the same classes', async () => {
    await mkdir(join(directory, 'vm'), { recursive: true })
    await writeFile(
      join(directory, 'states.config.ts'),
      `import { defineConfig } from 'vitest-vm-states/states'
       export default defineConfig({ states: 'vm/states.ts' })`,
    )
    await writeFile(
      join(directory, 'vm/states.ts'),
      `import { image, machine } from 'vitest-vm-states/states'
       const blank: ReturnType<typeof machine> = machine('blank', { image: image.blank('1 MiB') })
       export const one = blank.state('one', () => {})`,
    )
    const { stdout, exitCode } = await run('states', 'list')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^blank\/one +disk +blank\/root +not built/m)
    const unknown = await run(
      'states',
      'get',
      'blank/one',
      '--output',
      'a',
      '--on-missing',
      'abort',
    )
    expect(unknown.exitCode).toBe(1)
    expect(unknown.stderr).toContain('error STATE_NOT_BUILT: ')
  })

  test('defines states without Vitest being there', async () => {
    const script = `
      import { image, machine } from 'vitest-vm-states/states'
      process.stdout.write(machine('m', { image: image.blank(512) }).state('s', () => {}).name)`
    const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script], {
      cwd: directory,
    })
    expect(stdout).toBe('s')
    expect(await readdir(join(directory, 'node_modules'))).not.toContain('vitest')
  })
})

const FILES = {
  'package.json': '{ "private": true, "type": "module" }',
  'states.ts': `
import { image, machine } from 'vitest-vm-states/states'
export const tiny = machine('tiny', { image: image.tiny(), memory: '128 MiB' })
export const serving = tiny.live('serving', (vm) => vm.$\`echo ready > /tmp/serving\`)`,
  'a.test.ts': `
import { test as base, expect } from 'vitest'
import { vm, vms } from 'vitest-vm-states'
import { serving } from './states.js'
const test = base.extend('vm', vm(serving)).extend('lab', vms({ serving }))
test('restores', { timeout: 30_000 }, async ({ vm, lab }) => {
  expect((await vm.$\`cat /tmp/serving\`).stdout).toBe('ready')
  expect((await lab.serving.$\`cat /tmp/serving\`).stdout).toBe('ready')
})`,
  'plugin.config.ts': `
import { defineConfig } from 'vitest/config'
import { vmStates } from 'vitest-vm-states/plugin'
export default defineConfig({ plugins: [vmStates()] })`,
  'bare.config.ts': `
import { defineConfig } from 'vitest/config'
export default defineConfig({})`,
}

describe('the packed package in a project with Vitest', () => {
  let project: string

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), 'vm-states-packed-'))
    const modules = join(project, 'node_modules')
    await cp(join(directory, 'node_modules'), modules, { recursive: true, verbatimSymlinks: true })
    await symlink(join(root, 'node_modules/vitest'), join(modules, 'vitest'))
    for (const [name, text] of Object.entries(FILES)) await writeFile(join(project, name), text)
    await makeStoreWithTiny(join(project, 'store'))
  })

  afterAll(() => rm(project, { recursive: true }))

  async function vitest(config: string): Promise<{ exitCode: number | undefined; all: string }> {
    const bin = join(root, 'node_modules/vitest/vitest.mjs')
    const { exitCode, all } = await execa(process.execPath, [bin, 'run', `--config=${config}`], {
      cwd: project,
      env: { VM_STATES_STORE: join(project, 'store'), NO_COLOR: '1' },
      all: true,
      reject: false,
    })
    return { exitCode, all }
  }

  test('builds with the plugin, and restores what was built also without it', async () => {
    const first = await vitest('plugin.config.ts')
    expect(first.exitCode, first.all).toBe(0)
    expect(first.all).toContain('vm-states: built tiny/serving')
    expect(first.all).toMatch(/ VM states \(QEMU/)

    const second = await vitest('bare.config.ts')
    expect(second.exitCode, second.all).toBe(0)
    expect(second.all).not.toContain('vm-states: buil')
    expect(second.all).not.toContain(' VM states ')
  })
})
