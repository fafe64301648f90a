import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UserProject } from '../../../support/user-project.js'
import { PROJECT } from './project.js'
import { EDITS, type Edit } from './table.js'

const POOLS = ['forks', 'threads', 'vmForks', 'vmThreads']

/** Computes the keys of the states of every copy, with the built package's own modules. */
const HARNESS = `
import { readFileSync, writeFileSync } from 'node:fs'
import { DETAILS } from './node_modules/vitest-vm-states/dist/states/definitions/types.js'
import { identifyImage } from './node_modules/vitest-vm-states/dist/images/identify-image.js'
import { stateKey } from './node_modules/vitest-vm-states/dist/states/keys/key.js'
import { openStore } from './node_modules/vitest-vm-states/dist/store/store.js'

export async function writeKeys(count, load, output) {
  const store = await openStore('STORE')
  const found = []
  for (let index = 0; index < count; index += 1) {
    const { m } = await load('ROOT/copies/' + index + '/vm/states.ts')
    const emulator = JSON.parse(readFileSync('ROOT/copies/' + index + '/host.json', 'utf8'))
    const host = {
      identifyImage: (image) => identifyImage(image, store),
      emulator: async () => emulator,
      parentKey: (state) => stateKey(state, host),
    }
    const [, ...states] = m[DETAILS].states.values()
    const keys = states.map(async (state) => [state.name, (await stateKey(state, host)).key])
    found.push(Object.fromEntries(await Promise.all(keys)))
  }
  writeFileSync(output, JSON.stringify(found))
}
`

const COMMAND = `
import { loadModule } from './node_modules/vitest-vm-states/dist/params/load-module.js'
import { writeKeys } from './harness.js'
await writeKeys(${EDITS.length}, (file) => loadModule(file), 'ROOT/command.json')
`

const TEST = `
import { test } from 'vitest'
import { writeKeys } from './harness.js'
test('keys', () =>
  writeKeys(${EDITS.length}, (file) => import(file), 'ROOT/' + process.env.POOL + '.json'))
`

/** Computing the keys takes 5 s where processes and files are slow. */
const CONFIG = `
export default {
  test: {
    projects: ${JSON.stringify(POOLS)}.map((pool) => ({
      test: { name: pool, pool, include: ['keys.test.js'], env: { POOL: pool }, testTimeout: 200_000 },
    })),
  },
}
`

type Keys = Readonly<Record<string, string>>

let project: UserProject

/** A copy of the project with an edit, as a checkout at another place. */
async function writeCopy({ files }: Edit, index: number): Promise<void> {
  const directory = join(project.directory, 'copies', String(index))
  for (const path of new Set([...Object.keys(PROJECT), ...Object.keys(files)])) {
    const before = PROJECT[path] ?? ''
    const text = files[path] === undefined ? before : files[path](before)
    if (text === undefined) continue
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
  await symlink('../packages/linked', join(directory, 'node_modules/linked'))
}

beforeAll(async () => {
  project = await UserProject.create()
  const place = (text: string) =>
    text.replaceAll('ROOT', project.directory).replaceAll('STORE', project.store)
  await project.write({
    'harness.js': place(HARNESS),
    'command.mjs': place(COMMAND),
    'keys.test.js': place(TEST),
    'vitest.config.mjs': CONFIG,
  })
  await Promise.all(EDITS.map(writeCopy))
  const cache = { XDG_CACHE_HOME: join(project.directory, 'cache') }
  const command = execa(process.execPath, ['command.mjs'], { cwd: project.directory, env: cache })
  const [run] = await Promise.all([project.run(), command])
  if (run.exitCode !== 0) throw new Error(run.output)
}, 240_000)
afterAll(() => project.remove())

async function keysOf(loader: string): Promise<Keys[]> {
  return JSON.parse(await readFile(join(project.directory, `${loader}.json`), 'utf8')) as Keys[]
}

describe('the keys of states', () => {
  it('are those that each edit is to change, and no others', async () => {
    const [before = {}, ...after] = await keysOf('command')
    const changed = after.map((keys) =>
      Object.keys(before).filter((name) => keys[name] !== before[name]),
    )
    const [, ...edits] = EDITS
    expect(edits.map(({ name }, index) => [name, changed[index]])).toEqual(
      edits.map(({ name, changes }) => [name, [...changes]]),
    )
  })

  it.each(POOLS)('are the same in the pool %s as for the command', async (pool) => {
    expect(await keysOf(pool)).toEqual(await keysOf('command'))
  })
})
