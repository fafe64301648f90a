import { isVmStatesError } from '../../params/errors.js'
import { describeWithBoot } from '../../states/catalogue/describe-state.js'
import { nameOf } from '../../states/definitions/name-of.js'
import { parentsOf } from '../../states/definitions/parents-of.js'
import { type AnyState, DETAILS, type Definition } from '../../states/definitions/types.js'
import type { Context as StatesContext } from '../../states/graph/context.js'
import { type StateView, viewState } from './state-view.js'

/** Every state of a machine or an environment and its kept boots. Changes nothing, and downloads nothing. */
export async function viewDefinition(
  definition: Definition,
  context: StatesContext,
): Promise<StateView[]> {
  const states = [...definition[DETAILS].states.values()]
  return (await Promise.all(states.map((state) => view(state, context)))).flat()
}

/** A state whose key cannot be told does not hide the others. */
async function view(state: AnyState, context: StatesContext): Promise<StateView[]> {
  try {
    return (await describeWithBoot(state, context)).map(viewState)
  } catch (error) {
    if (!isVmStatesError(error)) throw error
    const [reason = ''] = error.message.split('\n')
    const parents = parentsOf(state).map(nameOf)
    const kind = parents.length === 0 ? 'image' : state.liveness
    return [{ name: nameOf(state), kind, parents, status: 'unknown', reason }]
  }
}
