import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadModule } from '../src/params/load-module.js'
import { DETAILS, type MachineDefinition } from '../src/states/definitions/types.js'
import { Context } from '../src/states/graph/context.js'
import type { Comparison } from './comparison.js'

const STATES = 1000
/** How many states stand on each other before a new chain begins at the image. */
const DEPTH = 10

const HELPERS = `
const flags = ['-y']
const update = (vm) => vm.exec('apt-get', ['update'])
export async function install(vm, ...names) { await update(vm); await vm.exec('apt-get', [...flags, ...names]) }
`

function definitions(): string {
  const states = fileURLToPath(new URL('../dist/states.js', import.meta.url))
  const lines = [
    `import { image, machine } from '${states}'`,
    "import { install } from './helpers.js'",
    "const PACKAGES = ['nginx', 'curl']",
    "export const m = machine('m', { image: image.blank('1 GiB') })",
  ]
  for (let index = 0; index < STATES; index += 1) {
    const parent = index % DEPTH === 0 ? 'm' : `s${index - 1}`
    const method = index % DEPTH === DEPTH - 1 ? 'live' : 'state'
    const setup = `async (vm) => { await install(vm, ...PACKAGES); await vm.exec('echo', ['${index}']) }`
    lines.push(`export const s${index} = ${parent}.${method}('state-${index}', ${setup})`)
  }
  return `${lines.join('\n')}\n`
}

/** The keys of many states of one file that is seen for the first time, against the start of a Node. */
export async function withKeys(
  directory: string,
  work: (comparisons: readonly Comparison[]) => Promise<void>,
): Promise<void> {
  await using context = await Context.open({ store: join(directory, 'keys'), label: 'bench' })
  let round = 0
  let m: MachineDefinition
  await work([
    {
      title: `keys of ${STATES} states, cold, in a process that runs, against an empty \`node -e 0\``,
      ours: {
        name: 'keys',
        async prepare() {
          const place = join(directory, `keys-${round++}`)
          await mkdir(place)
          await writeFile(join(place, 'helpers.js'), HELPERS)
          await writeFile(join(place, 'states.ts'), definitions())
          m = (await loadModule(join(place, 'states.ts'))).m as MachineDefinition
          await context.emulatorOf(m)
        },
        async run() {
          await Promise.all([...m[DETAILS].states.values()].map((state) => context.keyOf(state)))
        },
      },
      against: { name: 'node', run: () => void spawnSync(process.execPath, ['-e', '0']) },
      limit: 10,
    },
  ])
}
