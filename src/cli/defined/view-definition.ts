import { isVmStatesError } from '../../params/errors.js'
import { listStates } from '../../states/catalogue/describe-state.js'
import { DETAILS, type Definition } from '../../states/definitions/types.js'
import type { Context as StatesContext } from '../../states/graph/context.js'
import { type StateView, viewState } from './state-view.js'

/** Every state of a machine or an environment and its kept boots. Changes nothing, and downloads nothing. */
export async function viewDefinition(
  definition: Definition,
  context: StatesContext,
): Promise<StateView[]> {
  try {
    return (await listStates([definition], context)).map(viewState)
  } catch (error) {
    if (!isVmStatesError(error)) throw error
    const reason = error.message.split('\n')[0] ?? ''
    return [...definition[DETAILS].states.values()].map(({ name, liveness }) => ({
      name: `${definition.name}/${name}`,
      liveness,
      status: 'unknown',
      reason,
    }))
  }
}
