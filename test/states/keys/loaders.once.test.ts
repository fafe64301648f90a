import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadModule } from '../../../src/params/load-module.js'

const source = fileURLToPath(new URL('../../../src', import.meta.url))
const vitest = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url))

const STATES_FILE = `
import { machine } from '${source}/states/definitions/machine.js'
import { setupCode } from '${source}/states/keys/setup-code.js'

interface Page { readonly path: string }
const page: Page = { path: '/index.html' }

const debian = machine('debian', { image: { kind: 'blank', size: '1 MiB' } })
const nginx = debian.state('nginx', async (vm) => {
  // Comments and types are what loaders drop.
  await vm.$\`apt-get install -y  nginx\`
  const port: number = 80
  await vm.waitForPort(port as number)
})
const looped = ['8', '9'].map((version) => nginx.live(\`v\${version}\`, async (vm) => { await vm.exec('install', [version, page.path]) }, { inputs: { values: { version } } }))

export async function texts(): Promise<string> {
  return JSON.stringify(await Promise.all([nginx, ...looped].map(setupCode)))
}
`

const TEST_FILE = `
import { writeFile } from 'node:fs/promises'
import { texts } from './states.js'
test('writes the texts', async () => { await writeFile(process.env.OUTPUT, await texts()) })
`

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vms-loaders-'))
  await writeFile(join(directory, 'states.ts'), STATES_FILE)
  await writeFile(join(directory, 'states.test.ts'), TEST_FILE)
})
afterAll(() => rm(directory, { recursive: true, force: true }))

async function textsInPool(pool: string): Promise<string> {
  const output = join(directory, `${pool}.json`)
  const args = ['run', '--root', directory, '--globals', '--pool', pool, '--no-cache']
  await execa(process.execPath, [vitest, ...args], { env: { OUTPUT: output } })
  return await readFile(output, 'utf8')
}

it('is the same text for the command line and in every pool', { timeout: 60_000 }, async () => {
  const loaded = await loadModule(join(directory, 'states.ts'), { XDG_CACHE_HOME: directory })
  const texts = await (loaded.texts as () => Promise<string>)()
  expect(JSON.parse(texts)).toEqual([
    { code: { '(setup)': expect.any(String) }, packages: {} },
    { code: { '(setup)': expect.any(String), page: expect.any(String) }, packages: {} },
    { code: { '(setup)': expect.any(String), page: expect.any(String) }, packages: {} },
  ])
  for (const pool of ['forks', 'threads', 'vmThreads', 'vmForks']) {
    expect({ pool, texts: await textsInPool(pool) }).toEqual({ pool, texts })
  }
})
