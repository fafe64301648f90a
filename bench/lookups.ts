import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { image } from '../src/images/image.js'
import { machine } from '../src/states/definitions/machine.js'
import type { State } from '../src/states/definitions/types.js'
import { Context } from '../src/states/graph/context.js'
import { ensure } from '../src/states/graph/ensure.js'
import type { StoredObject } from '../src/store/objects/manifest.js'
import { fabricate } from '../test/support/fabricated-state.js'
import type { Comparison } from './comparison.js'

const DEPTH = 50

/** States, each on the one before it. */
function defineChain(): State[] {
  const states: State[] = []
  let parent: State = machine('deep', { image: image.blank('1 MiB') }).root
  for (let depth = 1; depth <= DEPTH; depth++) {
    parent = parent.state(`state-${depth}`, () => {}, { inputs: { values: { depth } } })
    states.push(parent)
  }
  return states
}

/** Puts the chain into the store, as builds would leave it, but for what is in the disks. */
async function keepChain(states: readonly State[], context: Context): Promise<void> {
  let parents: StoredObject[] = []
  for (const state of states) parents = [await fabricate(state, context, { parents })]
}

/** Making a state available that is there, in a process that runs, against the start of a Node. */
export async function withChain(
  directory: string,
  work: (comparisons: readonly Comparison[]) => Promise<void>,
): Promise<void> {
  await using context = await Context.open({ store: join(directory, 'chain'), label: 'bench' })
  const states = defineChain()
  await keepChain(states, context)
  const last = states[states.length - 1] as State
  await work([
    {
      title: `\`ensure\` of a built chain of ${DEPTH} states against an empty \`node -e 0\``,
      ours: {
        name: 'ensure',
        run: async () => (await ensure(last, context)).release(),
      },
      against: { name: 'node', run: () => void spawnSync(process.execPath, ['-e', '0']) },
      limit: 1,
    },
  ])
}
