import { dirname } from 'node:path'
import { readStateGraph } from '../../states/catalogue/state-graph.js'
import { readUsage } from '../../states/usage/read-usage.js'
import type { Usage } from '../../states/usage/usage.js'
import type { PicturedState } from '../graph/pictured-state.js'
import type { Context } from '../report.js'
import { loadDefinitions, requireDefinitions } from './load-machines.js'
import { withContext } from './with-context.js'

/** Everything that a picture of the configuration's states shows. */
export async function pictureStates(
  command: Context,
): Promise<{ store: string; states: PicturedState[] }> {
  const definitions = await loadDefinitions()
  requireDefinitions(definitions)
  const { byName, config } = definitions
  return await withContext(definitions, { build: 'never' }, command, async (context) => {
    const graph = await readStateGraph(byName.values(), context)
    const root = config.file === undefined ? process.cwd() : dirname(config.file)
    const tests = testsByState(await readUsage(context.store, root))
    const states = graph.map((state) => ({ ...state, tests: tests.get(state.name) ?? [] }))
    return { store: config.store, states }
  })
}

/** The test files that name each state. */
function testsByState({ files }: Usage): Map<string, string[]> {
  const tests = new Map<string, string[]>()
  for (const [file, states] of Object.entries(files)) {
    for (const state of states) tests.set(state, [...(tests.get(state) ?? []), file])
  }
  return tests
}
