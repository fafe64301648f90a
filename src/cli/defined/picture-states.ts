import { readStateGraph } from '../../states/catalogue/state-graph.js'
import type { PicturedState } from '../graph/pictured-state.js'
import type { Context } from '../report.js'
import { loadDefinitions } from './load-machines.js'
import { withContext } from './with-context.js'

/** Everything that a picture of the configuration's states shows. */
export async function pictureStates(
  command: Context,
): Promise<{ store: string; states: PicturedState[] }> {
  const definitions = await loadDefinitions()
  const { machines, config } = definitions
  return await withContext(definitions, { build: 'never' }, command, async (context) => {
    const graph = await readStateGraph(machines.values(), context)
    return { store: config.store, states: graph.map((state) => ({ ...state, tests: [] })) }
  })
}
