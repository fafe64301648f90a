import { afterAll, beforeAll, expect, test } from 'vitest'
import { CompiledSources } from '../../../support/compiled-sources.js'
import { race, STATES } from './race.js'

/** More of both are taken by scripts/campaigns. */
const ROUNDS = Number(process.env.VM_STATES_RACE_ROUNDS ?? 1)
const PROCESSES = Number(process.env.VM_STATES_RACE_PROCESSES ?? 5)

let sources: CompiledSources
beforeAll(async () => {
  sources = await CompiledSources.open()
})
afterAll(() => sources[Symbol.asyncDispose]())

test.for(Array.from({ length: ROUNDS }, (_, index) => index + 1))(
  'processes that ask at one moment for a chain with two branches build each state once (%i)',
  { timeout: 600_000 },
  async () => {
    expect(await race(sources.directory, PROCESSES)).toEqual({
      built: STATES,
      objects: { left: 1, right: 1 },
      stored: STATES.length,
      left: [],
    })
  },
)
