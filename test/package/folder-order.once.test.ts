import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { execa } from 'execa'
import { beforeAll, describe, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

/** What the dependency checker says of a package with these files. */
async function check(files: Readonly<Record<string, string>>) {
  const directory = await mkdtemp(join(tmpdir(), 'vm-states-order-'))
  const all = {
    'tsconfig.json': '{ "compilerOptions": { "module": "nodenext" } }',
    'package.json': '{ "type": "module", "devDependencies": { "fast-check": "*", "vitest": "*" } }',
    'node_modules/vitest/package.json': '{ "name": "vitest", "main": "dist.js" }',
    'node_modules/vitest/dist.js': '',
    'node_modules/fast-check/package.json': '{ "name": "fast-check", "main": "dist.js" }',
    'node_modules/fast-check/dist.js': '',
    ...files,
  }
  try {
    for (const [name, text] of Object.entries(all)) {
      await mkdir(dirname(join(directory, name)), { recursive: true })
      await writeFile(join(directory, name), text)
    }
    const { exitCode, stdout } = await execa(
      join(root, 'node_modules/.bin/depcruise'),
      ['--config', join(root, '.dependency-cruiser.mjs'), 'src'],
      { cwd: directory, reject: false },
    )
    return { exitCode, stdout }
  } finally {
    await rm(directory, { recursive: true })
  }
}

const THING = 'export const thing = 1\nexport type Thing = number\n'

/** Files of which one imports another as it may not, and the rule that says so. */
const IMPORTS: readonly [from: string, to: string, rule: string][] = [
  ['params/a', 'store/b', 'params-imports-only-from-before'],
  ['store/a', 'qemu/b', 'store-imports-only-from-before'],
  ['qemu/deep/a', 'states/b', 'qemu-imports-only-from-before'],
  ['backends/a', 'pool/b', 'backends-imports-only-from-before'],
  ['states/a', 'fixtures/b', 'states-imports-only-from-before'],
  ['cli/a', 'fixtures/b', 'cli-without-fixtures'],
  ['states', 'fixtures/b', 'cli-without-fixtures'],
  ['cli/b', 'index', 'entry-files-only-re-export'],
]

const importing = (from: string, to: string) => {
  const up = '../'.repeat(from.split('/').length - 1) || './'
  return { [`src/${from}.ts`]: `export { thing } from '${up}${to}.js'`, [`src/${to}.ts`]: THING }
}

const REFUSED: Readonly<Record<string, string>> = Object.assign(
  {
    'src/qemu/type.ts': `export type { Thing } from '../guest/type.js'`,
    'src/guest/type.ts': THING,
    'src/states/vitest.ts': `import 'vitest'\n${THING}`,
    'src/states/between.ts': `export { thing } from './vitest.js'`,
    'src/cli/far.ts': `export { thing } from '../states/between.js'`,
    'src/qemu/circle-a.ts': `export { thing } from './circle-b.js'`,
    'src/qemu/circle-b.ts': `export { thing } from './circle-c.js'`,
    'src/qemu/circle-c.ts': `export { thing } from './circle-a.js'`,
    'src/params/development.ts': `import 'fast-check'`,
  },
  ...IMPORTS.map(([from, to]) => importing(from, to)),
)

describe('the dependency checker', () => {
  test('lets a folder import from those before it, and the entry files from all', async () => {
    const { exitCode, stdout } = await check({
      'src/params/thing.ts': THING,
      'src/store/thing.ts': `export { thing } from '../params/thing.js'`,
      'src/states/thing.ts': `export { thing } from '../store/thing.js'`,
      'src/fixtures/thing.ts': `import 'vitest'\nexport { thing } from '../states/thing.js'`,
      'src/cli/thing.ts': `export { thing } from '../states/thing.js'`,
      'src/states.ts': `export { thing } from './states/thing.js'`,
      'src/index.ts': `export { thing } from './fixtures/thing.js'`,
    })
    expect(stdout).toContain('no dependency violations')
    expect(exitCode).toBe(0)
  })

  describe('refuses', () => {
    let refused: Awaited<ReturnType<typeof check>>
    beforeAll(async () => {
      refused = await check(REFUSED)
    })

    test.each(IMPORTS)('that %s imports %s', (from, to, rule) => {
      expect(refused.stdout).toContain(`error ${rule}: src/${from}.ts → src/${to}.ts`)
    })

    test('an import against the order of a type alone', () => {
      expect(refused.stdout).toContain(
        'error qemu-imports-only-from-before: src/qemu/type.ts → src/guest/type.ts',
      )
    })

    test('that the command reaches Vitest through others', () => {
      expect(refused.stdout).toContain(
        'error cli-without-fixtures: src/cli/far.ts → node_modules/vitest',
      )
    })

    test('a circle', () => {
      expect(refused.stdout).toContain('error no-circle: src/qemu/circle-a.ts')
    })

    test('that shipped code imports a development package', () => {
      expect(refused.stdout).toContain('error no-development-packages: src/params/development.ts')
    })

    test('by the number of errors as its exit code', () => {
      expect(refused.exitCode).toBe(refused.stdout.match(/^ {2}error /gm)?.length)
    })
  })
})
