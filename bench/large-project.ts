import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadModule } from '../src/params/load-module.js'
import { collectDefinitions } from '../src/states/definitions/collect.js'
import { isMachine } from '../src/states/definitions/kinds.js'
import { DETAILS, type State } from '../src/states/definitions/types.js'
import { Context } from '../src/states/graph/context.js'
import type { StoredObject } from '../src/store/objects/manifest.js'
import { fabricate } from '../test/support/fabricated-state.js'

const MACHINES = 10
const STATES_EACH = 100
/** How many states stand on each other before a new chain begins at the image. */
const DEPTH = 10

/** How many states the project of {@link makeLargeProject} has. */
export const LARGE = MACHINES * STATES_EACH

/** A project with a thousand states in one file, and with all of them in its store. */
export async function makeLargeProject(directory: string): Promise<void> {
  await mkdir(directory)
  const store = join(directory, 'store')
  const config = `export default { states: 'states.ts', store: '${store}' }\n`
  await writeFile(join(directory, 'states.config.ts'), config)
  const file = join(directory, 'states.ts')
  await writeFile(file, definitions())
  await using context = await Context.open({ store, label: 'bench' })
  const machines = [...collectDefinitions([await loadModule(file)]).values()].filter(isMachine)
  const built = new Map<State, StoredObject>()
  for (const state of machines.flatMap((machine) => [...machine[DETAILS].states.values()])) {
    const { step } = state[DETAILS]
    if (step === undefined) continue
    const parent = built.get(step.parent as State)
    built.set(state, await fabricate(state, context, { parents: parent ? [parent] : [] }))
  }
}

function definitions(): string {
  const states = fileURLToPath(new URL('../dist/states.js', import.meta.url))
  const lines = [`import { image, machine } from '${states}'`]
  for (let index = 0; index < MACHINES; index += 1) {
    const name = `machine${index}`
    lines.push(`export const ${name} = machine('${name}', { image: image.blank('1 GiB') })`)
    for (let at = 0; at < STATES_EACH; at += 1) {
      const parent = at % DEPTH === 0 ? name : `${name}state${at - 1}`
      const method = at % DEPTH === DEPTH - 1 ? 'live' : 'state'
      const setup = `async (vm) => { await vm.$\`echo ${at} > /etc/step\` }`
      lines.push(`export const ${name}state${at} = ${parent}.${method}('state${at}', ${setup})`)
    }
  }
  return `${lines.join('\n')}\n`
}
