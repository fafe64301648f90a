import { loadConfig } from '../../params/load-config.js'
import { isKeptOwner } from '../../states/kept/kept-moment.js'
import { removeKept } from '../../states/kept/kept-states.js'
import { openStore } from '../../store/store.js'
import type { Report } from '../report.js'
import type { DefinedState } from '../targets/target.js'

/**
 * Removes a state that a failed test or `states run` has kept.
 *
 * @returns undefined if the store has none of this name
 * @throws VmStatesError `OBJECT_IN_USE` while a machine runs on it
 */
export async function unsetKept({ machine, state }: DefinedState): Promise<Report | undefined> {
  if (!isKeptOwner(machine) || state === undefined) return undefined
  const config = await loadConfig()
  await using store = await openStore(config.store)
  if (!(await removeKept(store, machine, state))) return undefined
  const name = `${machine}/${state}`
  return {
    data: { outcome: 'removed', state: name },
    text: `${name} is removed from the store`,
  }
}
