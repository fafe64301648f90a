/** The files of a small project whose states reach code in every way that keys know of. */
export const PROJECT: Readonly<Record<string, string>> = {
  'package.json': '{ "type": "module" }',
  'host.json': '{ "version": "7.2.22", "accelerator": "tcg" }',
  'disk.img': 'the image',
  'vm/states.ts': `
import { join } from 'node:path'
import { format } from 'dep'
import { linked } from 'linked'
import { image, machine } from 'vitest-vm-states/states'
import './effects.js'
import configure from './configure.js'
import data from './data.json'
import { install } from './helpers.js'
import { greet } from './index.js'
import * as tools from './tools.js'
import type { Options } from './types.js'

const PACKAGES: string[] = ['nginx', 'curl']
export const UNRELATED = 'unrelated'
let port = 80
port = 8080

export const m = machine('m', { image: image.file('../disk.img'), memory: '128 MiB' })

export const base = m.state('base', async (vm) => {
  // Why.
  await install(vm, PACKAGES)
})

export const web = base.state(
  'web',
  async (vm) => {
    const options: Options = { verbose: true }
    await tools.write(vm, join('/etc', 'web'), format(data.title))
    await configure(vm, port)
    const { late } = await import('./late.js')
    await late(vm, greet, linked, options)
  },
  {
    inputs: { values: { level: 1 }, files: ['./schema.sql', './conf/*.conf'] },
    timeout: 5000,
  },
)

export const live = web.live('live', restart)

async function restart(vm: { exec(command: string): unknown }) {
  await vm.exec('restart')
}

for (const name of ['a', 'b']) {
  m.state(\`loop-\${name}\`, (vm) => vm.exec('loop', [name]), { inputs: { values: { name } } })
}

function define(on: typeof m, flavour: string) {
  const setup = { inputs: { values: { flavour } } }
  return on.live(\`made-\${flavour}\`, (vm) => vm.exec('make', [flavour]), setup)
}
define(m, 'x')

m.state('aside', (vm) => vm.exec('aside'), { refresh: () => 7 })
`,
  'vm/effects.ts': "process.env.EDITS_LANGUAGE = 'C'\n",
  'vm/configure.ts':
    'export default async (vm: any, port: number) => { await vm.exec(String(port)) }\n',
  'vm/data.json': '{ "title": "Welcome" }',
  'vm/helpers.ts': `
import { update } from './deep.js'
const FLAGS = ['-y']
export interface Unused { name: string }
export async function install(vm: any, packages: string[]) {
  await update(vm)
  await vm.exec('apt-get', [...FLAGS, ...packages])
}
export function other() { return 1 }
`,
  'vm/deep.ts': "export const update = (vm: any) => vm.exec('apt-get update')\n",
  'vm/index.ts': "export { greet } from './greet.js'\nexport { ignored } from './ignored.js'\n",
  'vm/greet.ts': "export const greet = 'hello'\n",
  'vm/ignored.ts': "export const ignored = 'ignored'\n",
  'vm/tools.ts': `
export const write = (vm: any, path: string, text: string) => vm.writeFile(path, text)
export const read = (vm: any, path: string) => vm.readFile(path)
`,
  'vm/types.ts': 'export interface Options { verbose: boolean }\n',
  'vm/late.ts': 'export const late = (vm: any, ...words: unknown[]) => vm.exec(words.join())\n',
  'vm/schema.sql': 'create table one',
  'vm/conf/a.conf': 'a',
  'vm/conf/b.conf': 'b',
  'packages/linked/package.json':
    '{ "name": "linked", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
  'packages/linked/index.js': "export const linked = 'linked'\n",
  'node_modules/dep/package.json':
    '{ "name": "dep", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
  'node_modules/dep/index.js': 'export const format = (text) => text\n',
}
