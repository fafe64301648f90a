import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInThisContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { machine } from '../../../src/states/definitions/machine.js'
import { DETAILS, type State } from '../../../src/states/definitions/types.js'
import { setupCode } from '../../../src/states/keys/setup-code.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vms-setup-code-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

let count = 0

/** What the key of the state `web` holds of a file whose code, given a machine `m`, is `code`. */
async function codeOf(code: string): Promise<unknown> {
  const file = join(directory, `states-${count++}.ts`)
  await writeFile(file, code)
  const m = machine('m', { image: { kind: 'blank', size: 2 ** 20 } })
  runInThisContext(`(m) => { ${code}\n}`, { filename: file })(m)
  return await setupCode(m[DETAILS].states.get('web') as State)
}

const base = `m.state('web', async (vm) => { await vm.$\`apt-get  install nginx\` })`

describe('setupCode()', () => {
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
    expect(await codeOf(code)).toEqual(await codeOf(base))
  })

  it.each([
    ['a word in a command', base.replace('nginx', 'caddy')],
    ['a blank inside a template', base.replace('get  install', 'get install')],
    ['another statement', base.replace('{ await', '{ await vm.shutdown(); await')],
    ['a function that is not async', base.replace('async', '').replace('await', '')],
    ['an escape that only a tag can see', base.replace('nginx', '\\u006eginx')],
  ])('is changed by %s', async (_, code) => {
    expect(await codeOf(code)).not.toEqual(await codeOf(base))
  })

  it('tells apart what only a line break separates', async () => {
    const returns = (code: string) => `m.state('web', () => { ${code} })`
    expect(await codeOf(returns('return\n1'))).not.toEqual(await codeOf(returns('return 1')))
  })

  it('covers every candidate where two machines have a state of that name', async () => {
    const both = (v: number) =>
      `m.state('web', () => 1); ({ state: () => {} }).state('web', () => ${v})`
    expect(await codeOf(both(1))).not.toEqual(await codeOf(both(2)))
  })

  it.each([
    ['a loop', `for (const v of ['web']) m.state(v, async (vm) => { await vm.exec(v) })`, 'v'],
    ['a factory', `const make = (m, v) => m.state('web', () => v); make(m, 1)`, 'v'],
    ['a block', `{ const v = 1; m.state('web', () => v) }`, 'v'],
    ['a setup that is a parameter', `((v) => m.state('web', v))(() => 1)`, 'v'],
    [
      'a function that it calls',
      `((v) => { const f = () => v; m.state('web', () => f()) })(1)`,
      'v',
    ],
    ['a method', `({ go() { m.state('web', () => this.x) } }).go()`, 'this'],
    ['a loop over states', `for (const v of [m.root]) v.state('web', () => v.name)`, 'v'],
  ])('refuses what is captured from %s', async (_, code, name) => {
    await expect(codeOf(code)).rejects.toMatchObject({
      code: 'SETUP_CAPTURE',
      message: expect.stringMatching(
        new RegExp(`^the setup of m/web uses "${name}", .*/states-\\d+\\.ts:1$`, 'm'),
      ),
      hint: expect.stringContaining(name),
    })
  })

  it('takes what is declared for what it is', async () => {
    const looped = (setup: string, values = '{ v }') =>
      `for (const v of ['web']) m.state(v, ${setup}, { inputs: { values: ${values} } })`
    const one = await codeOf(looped('() => v + 1'))
    expect(await codeOf(looped('() => v + 1', "{ 'v': v }"))).toEqual(one)
    expect(await codeOf(looped('() => v + 2'))).not.toEqual(one)
  })

  it('takes a function around the setup for code', async () => {
    const local = (body: string) => `{ const f = () => ${body}; m.state('web', () => f()) }`
    expect(await codeOf(local('1'))).not.toEqual(await codeOf(local('2')))
  })

  it.each([
    ['the name', `for (const v of [1]) m.state(\`other-\${v}\`, () => 2)`],
    ['the method', "for (const v of ['x']) m.live(v, () => 2)"],
    [
      'the declared inputs',
      "for (const v of ['x']) m.state(v, () => 2, { inputs: { values: { v } } })",
    ],
  ])('tells loops apart by %s', async (_, other) => {
    const loop = `for (const v of ['eb']) m.state(\`w\${v}\`, () => 1);`
    expect(await codeOf(loop + other)).toEqual(await codeOf(loop))
  })

  it('refuses an import that leads nowhere', async () => {
    await expect(codeOf(`m.state('web', () => import('./nowhere.js'))`)).rejects.toMatchObject({
      code: 'SETUP_IMPORT',
      message: expect.stringMatching(/states-\d+\.ts imports '\.\/nowhere\.js'/),
    })
  })

  it('is all of the file where no call can be found', async () => {
    const bound = (v: number) => `const add = m.state.bind(m); add('web', () => ${v})`
    expect(await codeOf(bound(1))).not.toEqual(await codeOf(bound(2)))
    const odd = (v: number) => `m.state('web', () => ${v}); with (m) {}`
    expect(await codeOf(odd(1))).not.toEqual(await codeOf(odd(2)))
  })

  it('refuses a state that no file defines', async () => {
    const m = machine('m', { image: { kind: 'blank', size: 2 ** 20 } })
    const state = runInThisContext(`(m) => m.state('web', () => {})`)(m)
    await expect(setupCode(state)).rejects.toMatchObject({ code: 'SETUP_SOURCE' })
  })
})
