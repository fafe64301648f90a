import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { execa } from 'execa'
import { describe, expect, onTestFinished, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

/** What the dependency checker says of a package with these files. */
async function check(files: Record<string, string>) {
  const directory = await mkdtemp(join(tmpdir(), 'vm-states-order-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const all = {
    'tsconfig.json': '{ "compilerOptions": { "module": "nodenext" } }',
    'package.json': '{ "type": "module", "devDependencies": { "fast-check": "*", "vitest": "*" } }',
    'node_modules/vitest/package.json': '{ "name": "vitest", "main": "dist.js" }',
    'node_modules/vitest/dist.js': '',
    'node_modules/fast-check/package.json': '{ "name": "fast-check", "main": "dist.js" }',
    'node_modules/fast-check/dist.js': '',
    ...files,
  }
  for (const [name, text] of Object.entries(all)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), text)
  }
  const { exitCode, stdout } = await execa(
    join(root, 'node_modules/.bin/depcruise'),
    ['--config', join(root, '.dependency-cruiser.mjs'), 'src'],
    { cwd: directory, reject: false },
  )
  return { passed: exitCode === 0, stdout }
}

const THING = 'export const thing = 1\nexport type Thing = number\n'

describe('the dependency checker', () => {
  test('lets a folder import from those before it, and the entry files from all', async () => {
    const { passed, stdout } = await check({
      'src/params/thing.ts': THING,
      'src/store/thing.ts': `export { thing } from '../params/thing.js'`,
      'src/states/thing.ts': `export { thing } from '../store/thing.js'`,
      'src/fixtures/thing.ts': `import 'vitest'\nexport { thing } from '../states/thing.js'`,
      'src/cli/thing.ts': `export { thing } from '../states/thing.js'`,
      'src/states.ts': `export { thing } from './states/thing.js'`,
      'src/index.ts': `export { thing } from './fixtures/thing.js'`,
    })
    expect(stdout).toContain('no dependency violations')
    expect(passed).toBe(true)
  })

  test.each([
    ['params/a', 'store/b', 'params-imports-only-from-before'],
    ['store/a', 'qemu/b', 'store-imports-only-from-before'],
    ['qemu/deep/a', 'states/b', 'qemu-imports-only-from-before'],
    ['backends/a', 'pool/b', 'backends-imports-only-from-before'],
    ['states/a', 'fixtures/b', 'states-imports-only-from-before'],
    ['cli/a', 'fixtures/b', 'cli-without-fixtures'],
    ['states', 'fixtures/b', 'cli-without-fixtures'],
    ['cli/a', 'index', 'entry-files-only-re-export'],
  ])('refuses that %s imports %s', async (from, to, rule) => {
    const up = '../'.repeat(from.split('/').length - 1) || './'
    const { passed, stdout } = await check({
      [`src/${from}.ts`]: `export { thing } from '${up}${to}.js'`,
      [`src/${to}.ts`]: THING,
    })
    expect(stdout).toContain(`error ${rule}: src/${from}.ts → src/${to}.ts`)
    expect(passed).toBe(false)
  })

  test('refuses an import against the order of a type alone', async () => {
    const { passed } = await check({
      'src/qemu/a.ts': `export type { Thing } from '../guest/b.js'`,
      'src/guest/b.ts': THING,
    })
    expect(passed).toBe(false)
  })

  test('refuses that the command reaches Vitest through others', async () => {
    const { passed, stdout } = await check({
      'src/states/b.ts': `import 'vitest'\n${THING}`,
      'src/states/a.ts': `export { thing } from './b.js'`,
      'src/cli/a.ts': `export { thing } from '../states/a.js'`,
    })
    expect(stdout).toContain('error cli-without-fixtures: src/cli/a.ts → node_modules/vitest')
    expect(passed).toBe(false)
  })

  test('refuses a circle', async () => {
    const { passed, stdout } = await check({
      'src/qemu/a.ts': `export { thing } from './b.js'`,
      'src/qemu/b.ts': `export { thing } from './c.js'`,
      'src/qemu/c.ts': `export { thing } from './a.js'`,
    })
    expect(stdout).toContain('error no-circle: src/qemu/a.ts')
    expect(passed).toBe(false)
  })

  test('refuses that shipped code imports a development package', async () => {
    const { passed, stdout } = await check({ 'src/params/a.ts': `import 'fast-check'` })
    expect(stdout).toContain('error no-development-packages: src/params/a.ts')
    expect(passed).toBe(false)
  })
})
