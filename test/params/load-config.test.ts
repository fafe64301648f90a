import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Config } from '../../src/params/config.js'
import { type LoadedConfig, loadConfig } from '../../src/params/load-config.js'

let directory: string
let environment: NodeJS.ProcessEnv

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'vm-states-config-')))
  environment = { HOME: directory }
})

afterEach(async () => {
  await rm(directory, { recursive: true })
})

async function write(name: string, text: string): Promise<string> {
  const file = join(directory, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  return file
}

const load = (overrides?: Config, cwd = directory) =>
  loadConfig({ cwd, environment, ...(overrides && { overrides }) })

/** What holds where nobody says anything. */
const defaults = (): LoadedConfig => ({
  file: undefined,
  root: directory,
  states: [],
  store: join(directory, '.cache/vitest-vm-states'),
  build: 'missing',
  limits: {},
  qemu: 'qemu-system-x86_64',
  onFailure: 'discard',
  keep: { maxSize: 4 * 2 ** 30, perRun: 5 },
  gc: { maxSize: undefined, maxAge: 30 * 86_400_000 },
  artifacts: undefined,
  summary: undefined,
  gracefulExit: true,
})

describe('the configuration', () => {
  test('without a file is the defaults', async () => {
    expect(await load()).toEqual(defaults())
  })

  test('says what the store may keep, each part for itself', async () => {
    await write('states.config.ts', `export default { gc: { maxSize: '8 GiB', maxAge: '7 days' } }`)
    expect((await load()).gc).toEqual({ maxSize: 8 * 2 ** 30, maxAge: 7 * 86_400_000 })
    expect((await load({ gc: { maxAge: '1 h' } })).gc).toEqual({
      maxSize: 8 * 2 ** 30,
      maxAge: 3_600_000,
    })
    await expect(load({ gc: { maxAge: '7d' } })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('vmStates(…).gc.maxAge is "7d": a duration is '),
    })
  })

  test.each(['ts', 'mts', 'js', 'mjs'])('is found as states.config.%s', async (extension) => {
    const file = await write(`states.config.${extension}`, `export default { build: 'never' }`)
    expect(await load()).toMatchObject({ file, build: 'never' })
  })

  test('is found in a directory above, and its paths are relative to the file', async () => {
    const file = await write(
      'states.config.ts',
      `const store: string = 'kept'\nexport default { states: ['./vm/a.ts', '/abs/b.ts'], store }`,
    )
    await mkdir(join(directory, 'a/b'), { recursive: true })
    expect(await load(undefined, join(directory, 'a/b'))).toEqual({
      ...defaults(),
      file,
      states: [join(directory, 'vm/a.ts'), '/abs/b.ts'],
      store: join(directory, 'kept'),
    })
  })

  test('may be split over local TypeScript files', async () => {
    await write('shared.ts', `export const store: string = 'shared-store'`)
    await write('states.config.ts', `import { store } from './shared.js'\nexport default { store }`)
    expect((await load()).store).toBe(join(directory, 'shared-store'))
  })

  test('is overridden by options, and both by the environment', async () => {
    await write(
      'states.config.ts',
      `export default { store: 'a', build: 'missing', states: 'x.ts' }`,
    )
    const overrides = { store: 'b', build: 'never' } as const
    expect(await load(overrides)).toMatchObject({
      store: join(directory, 'b'),
      build: 'never',
      states: [join(directory, 'x.ts')],
    })
    environment.VM_STATES_STORE = '/c'
    environment.VM_STATES_BUILD = 'missing'
    expect(await load(overrides)).toMatchObject({ store: '/c', build: 'missing' })
  })

  test('takes a QEMU with a slash for a path from where it is written, others for a name', async () => {
    await write('states.config.ts', `export default { qemu: './bin/qemu' }`)
    const inside = join(directory, 'a')
    await mkdir(inside)
    expect((await load(undefined, inside)).qemu).toBe(join(directory, 'bin/qemu'))
    expect((await load({ qemu: 'qemu-system-x86_64' }, inside)).qemu).toBe('qemu-system-x86_64')
    expect((await load({ qemu: '../other/qemu' }, inside)).qemu).toBe(join(directory, 'other/qemu'))
    environment.VM_STATES_QEMU = '/opt/qemu'
    expect((await load({ qemu: '../other/qemu' }, inside)).qemu).toBe('/opt/qemu')
  })

  test('has limits from the environment, else the overrides, else the file, and says from where', async () => {
    const file = await write(
      'states.config.ts',
      `export default { maxMemory: '4 GiB', maxMachines: 3 }`,
    )
    expect((await load()).limits).toEqual({
      memory: { value: 4 * 2 ** 30, from: `maxMemory of ${file}` },
      machines: { value: 3, from: `maxMachines of ${file}` },
    })
    expect((await load({ maxMemory: 1024 })).limits).toMatchObject({
      memory: { value: 1024, from: 'maxMemory of vmStates(…)' },
      machines: { value: 3 },
    })
    environment.VM_STATES_MAX_MEMORY = '512 MiB'
    environment.VM_STATES_MAX_MACHINES = '2'
    expect((await load({ maxMemory: 1024, maxMachines: 1 })).limits).toEqual({
      memory: { value: 512 * 2 ** 20, from: 'VM_STATES_MAX_MEMORY' },
      machines: { value: 2, from: 'VM_STATES_MAX_MACHINES' },
    })
    environment.VM_STATES_MAX_MACHINES = '-2'
    await expect(load()).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      message: 'VM_STATES_MAX_MACHINES is "-2": a number of machines is a whole number above 0',
    })
  })

  test('with an unknown option names the file, the option and the near name', async () => {
    const file = await write('states.config.ts', `export default { stor: 'x' }`)
    await expect(load()).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining(
        `${file}.stor is "x": did you mean "store"? the options are`,
      ),
    })
  })

  test('with a wrong value names the file and the path of the value', async () => {
    const file = await write('states.config.ts', `export default { build: 'always' }`)
    await expect(load()).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: `${file}.build is "always": build is "missing" or "never"`,
    })
  })

  test.each([
    ['a syntax error', 'export default {'],
    ['an exception', 'throw new Error("out of order")'],
    ['an import of nothing', 'import "./nowhere.js"'],
    ['no default export', 'export const config = {}'],
  ])('with %s is an error that names the file', async (_what, text) => {
    const file = await write('states.config.ts', text)
    await expect(load()).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining(file),
    })
  })

  test('from the environment is checked too', async () => {
    environment.VM_STATES_BUILD = 'sometimes'
    await expect(load()).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      message: 'VM_STATES_BUILD is "sometimes": build is "missing" or "never"',
    })
  })

  test('keeps states under XDG_CACHE_HOME, unless that is relative', async () => {
    environment.XDG_CACHE_HOME = '/caches'
    expect((await load()).store).toBe('/caches/vitest-vm-states')
    environment.XDG_CACHE_HOME = 'caches'
    expect((await load()).store).toBe(join(directory, '.cache/vitest-vm-states'))
  })
})
