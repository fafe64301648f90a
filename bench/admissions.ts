import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Share } from '../src/states/admission/allowance.js'
import { Context } from '../src/states/graph/context.js'
import type { Comparison } from './comparison.js'

const NEED = { memory: 2 ** 20, machines: 1, label: 'bench' }

/** What a start of a machine pays for the limit on machines, against the start of a Node. */
export async function withAdmissions(
  directory: string,
  work: (comparisons: readonly Comparison[]) => Promise<void>,
): Promise<void> {
  const limits = { machines: { value: 1, from: 'bench' } }
  const store = join(directory, 'admissions')
  await using context = await Context.open({ store, limits, label: 'bench' })
  const { allowance } = context
  const against = { name: 'node', run: () => void spawnSync(process.execPath, ['-e', '0']) }
  let held: Share
  let waiting: Promise<Share>
  await work([
    {
      title: 'admission of a machine that fits, and its release, against an empty `node -e 0`',
      ours: { name: 'admit', run: async () => (await allowance.take(NEED)).release() },
      against,
      limit: 0.2,
    },
    {
      title: 'from a release until who waits is admitted, against an empty `node -e 0`',
      ours: {
        name: 'wake',
        async prepare() {
          held = await allowance.take(NEED)
          await new Promise<void>((resolve) => {
            waiting = allowance.take(NEED, { onWait: () => resolve() })
          })
        },
        async run() {
          await held.release()
          await waiting
        },
        cleanUp: async () => (await waiting).release(),
      },
      against,
      limit: 2,
    },
  ])
}
