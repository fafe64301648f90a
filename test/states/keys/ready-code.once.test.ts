import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInThisContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { machine } from '../../../src/states/definitions/machine.js'
import type { MachineDefinition } from '../../../src/states/definitions/types.js'
import { readyCode } from '../../../src/states/keys/ready-code.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vms-ready-code-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

let count = 0

/** What keys hold of the `ready` of the machine that `code` makes, in a file of its own. */
async function codeOf(code: string): Promise<unknown> {
  const file = join(directory, `states-${count++}.ts`)
  await writeFile(file, code)
  const run = runInThisContext(`(machine, image) => { ${code}\nreturn it }`, { filename: file })
  return await readyCode(run(machine, { kind: 'blank', size: 2 ** 20 }) as MachineDefinition)
}

const made = (options: string, around = '') => `${around}; const it = machine('m', ${options})`
const base = made('{ image, ready: async (vm) => { await vm.waitForPort(80) } }')

describe('readyCode()', () => {
  it.each([
    ['a comment', base.replace('await', '/* why */ await')],
    ['another option', base.replace('image,', "image, memory: '1 GiB',")],
    ['another machine', `${base}; machine('n', { image, ready: () => 1 })`],
  ])('is not changed by %s', async (_, code) => {
    expect(await codeOf(code)).toEqual(await codeOf(base))
  })

  it.each([
    ['what it waits for', made('{ image, ready: (vm) => vm.waitForPort(PORT) }')],
    ['a method', made('{ image, async ready(vm) { await vm.waitForPort(PORT) } }')],
    ['a function that it names', made('{ image, ready }', 'const ready = (vm) => PORT')],
    ['options that are written elsewhere', made('all', 'const all = { image, ready: () => PORT }')],
    [
      'options that are spread over it',
      made('{ image, ready: () => 1, ...all }', 'const all = { ready: () => PORT }'),
    ],
    ['options that are spread', made('{ image, ...all }', 'const all = { ready: () => PORT }')],
    [
      'a call by another name',
      'const m = machine; const it = m("m", { image, ready: () => PORT })',
    ],
  ])('is changed by %s', async (_, code) => {
    const one = await codeOf(code.replace('PORT', '80'))
    expect(await codeOf(code.replace('PORT', '81'))).not.toEqual(one)
  })

  it('refuses what is captured, with the place', async () => {
    const looped = 'let it; for (const p of [80]) it = machine("m", { image, ready: () => p })'
    await expect(codeOf(looped)).rejects.toMatchObject({
      code: 'SETUP_CAPTURE',
      message: expect.stringMatching(/^the ready of m uses "p", .*states-\d+\.ts:1$/m),
    })
  })
})
