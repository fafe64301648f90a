import type { Context } from '../report.js'
import { loadDefinitions } from './load-machines.js'
import type { StateView } from './state-view.js'
import { viewDefinition } from './view-definition.js'
import { withContext } from './with-context.js'

/** Every state of the configuration, and whether it is built. */
export async function listDefined(context: Context): Promise<StateView[]> {
  const definitions = await loadDefinitions()
  return await withContext(definitions, { build: 'never' }, context, async (states) => {
    const all = [...definitions.byName.values()]
    const views = await Promise.all(all.map((definition) => viewDefinition(definition, states)))
    return views.flat()
  })
}
