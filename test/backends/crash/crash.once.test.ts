import { afterAll, beforeAll, expect, test } from 'vitest'
import { CompiledSources } from '../../support/compiled-sources.js'
import { crashCases, killAtStep } from './campaign.js'

/** How many steps apart the kills are; all steps are taken by scripts/campaigns. */
const STRIDE = Number(process.env.VM_STATES_CRASH_STRIDE ?? 8)

let sources: CompiledSources

beforeAll(async () => {
  sources = await CompiledSources.open()
})

afterAll(() => sources[Symbol.asyncDispose]())

test.each(crashCases)(
  '$backend $operation of $tag: killed with -9 at any step, the old or the new state is whole',
  async (crashCase) => {
    let kills = 0
    for (let step = 1; await killAtStep(sources.directory, crashCase, step); step += STRIDE) {
      kills += 1
    }
    expect(kills).toBeGreaterThan(0)
  },
  600_000,
)
