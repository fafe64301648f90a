import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInThisContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { machine } from '../../../src/states/definitions/machine.js'
import { DETAILS, type State } from '../../../src/states/definitions/types.js'
import { setupText } from '../../../src/states/keys/setup-text.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vms-setup-text-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

let count = 0

/** The text of the state `web` in a file whose code, given a machine `m`, is `code`. */
async function textOf(code: string): Promise<string> {
  const file = join(directory, `states-${count++}.ts`)
  await writeFile(file, code)
  const m = machine('m', { image: { kind: 'blank', size: 2 ** 20 } })
  runInThisContext(`(m) => { ${code}\n}`, { filename: file })(m)
  return await setupText(m[DETAILS].states.get('web') as State)
}

const base = `m.state('web', async (vm) => { await vm.$\`apt-get  install nginx\` })`

describe('setupText()', () => {
  it.each([
    [
      'a comment',
      `m.state('web', async (vm) => { /* why */ await vm.$\`apt-get  install nginx\` // x\n })`,
    ],
    [
      'layout',
      `m\n  .state(\n    'web',\n async (vm) => {\n  await vm.$\`apt-get  install nginx\`\n},)`,
    ],
    [
      'quotes and semicolons',
      `m.state("web", async (vm) => { await vm.$\`apt-get  install nginx\`; });`,
    ],
    ['a sibling state', `m.state('other', async () => 1); ${base}`],
    ['a state below it', `${base}.live('child', async () => 1)`],
    ['code around it', `const unrelated = 7; ${base}`],
    [
      'an option',
      `m.state('web', async (vm) => { await vm.$\`apt-get  install nginx\` }, { timeout: 5 })`,
    ],
  ])('is not changed by %s', async (_, code) => {
    expect(await textOf(code)).toBe(await textOf(base))
  })

  it.each([
    ['a word in a command', base.replace('nginx', 'caddy')],
    ['a blank inside a template', base.replace('get  install', 'get install')],
    ['another statement', base.replace('{ await', '{ await vm.shutdown(); await')],
    ['a function that is not async', base.replace('async', '').replace('await', '')],
    ['an escape that only a tag can see', base.replace('nginx', '\\u006eginx')],
  ])('is changed by %s', async (_, code) => {
    expect(await textOf(code)).not.toBe(await textOf(base))
  })

  it('tells apart what only a line break separates', async () => {
    const returns = (code: string) => `m.state('web', () => { ${code} })`
    expect(await textOf(returns('return\n1'))).not.toBe(await textOf(returns('return 1')))
  })

  it.each([
    [
      'a name that is not literal',
      (v: string) => `for (const n of ['web']) m.state(n, () => ${v})`,
    ],
    ['a setup passed by name', (v: string) => `const setup = () => ${v}; m.state('web', setup)`],
    [
      'a setup made by a call',
      (v: string) => `const make = (v) => () => v; m.state('web', make(${v}))`,
    ],
  ])('is the whole file for %s', async (_, code) => {
    expect(await textOf(code('1'))).not.toBe(await textOf(code('2')))
    expect(await textOf(`${code('1')} // comment`)).toBe(await textOf(code('1')))
  })

  it('covers every candidate where two machines have a state of that name', async () => {
    const both = (v: number) =>
      `m.state('web', () => 1); ({ state: () => {} }).state('web', () => ${v})`
    expect(await textOf(both(1))).not.toBe(await textOf(both(2)))
  })

  it('is the raw text of a file that the parser does not understand', async () => {
    const file = join(directory, 'odd.ts')
    await writeFile(file, 'const = odd')
    const m = machine('m', { image: { kind: 'blank', size: 2 ** 20 } })
    runInThisContext(`(m) => m.state('web', () => {})`, { filename: file })(m)
    expect(await setupText(m[DETAILS].states.get('web') as State)).toBe('const = odd')
  })

  it('refuses a state that no file defines', async () => {
    const m = machine('m', { image: { kind: 'blank', size: 2 ** 20 } })
    const state = runInThisContext(`(m) => m.state('web', () => {})`)(m)
    await expect(setupText(state)).rejects.toMatchObject({ code: 'SETUP_SOURCE' })
  })
})
