import { describeBoot, describeState } from '../../states/catalogue/describe-state.js'
import type { Context, Report } from '../report.js'
import type { DefinedState } from '../targets/target.js'
import { findDefinition, findState, loadDefinitions } from './load-machines.js'
import { stateTable, viewState, withSizes } from './state-view.js'
import { viewDefinition } from './view-definition.js'
import { withContext } from './with-context.js'

/** The states of a machine or an environment of the configuration, or one of them, and whether they are built. */
export async function showDefined(target: DefinedState, context: Context): Promise<Report> {
  const definitions = await loadDefinitions()
  const definition = findDefinition(definitions, target.machine)
  const state = target.state === undefined ? undefined : findState(definition, target.state)
  return await withContext(definitions, { build: 'never' }, context, async (opened) => {
    const shown =
      state === undefined
        ? await viewDefinition(definition, opened)
        : [viewState(await (target.booted ? describeBoot : describeState)(state, opened))]
    const states = await withSizes(shown, await opened.store.objects.list())
    return { data: { states }, text: stateTable(states, context.colors) }
  })
}
