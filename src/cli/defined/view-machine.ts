import { isVmStatesError } from '../../params/errors.js'
import { listStates } from '../../states/catalogue/describe-state.js'
import { DETAILS, type MachineDefinition } from '../../states/definitions/types.js'
import type { Context as StatesContext } from '../../states/graph/context.js'
import { type StateView, viewState } from './state-view.js'

/** Every state of a machine and its kept boots. Changes nothing, and downloads nothing. */
export async function viewMachine(
  machine: MachineDefinition,
  context: StatesContext,
): Promise<StateView[]> {
  try {
    return (await listStates([machine], context)).map(viewState)
  } catch (error) {
    if (!isVmStatesError(error)) throw error
    const reason = error.message.split('\n')[0] ?? ''
    return [...machine[DETAILS].states.values()].map(({ name, liveness }) => ({
      name: `${machine.name}/${name}`,
      liveness,
      status: 'unknown',
      reason,
    }))
  }
}
