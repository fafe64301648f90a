import type { LedgerEntry } from '../../store/admissions/entry.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import type { Context } from '../graph/context.js'
import type { Share, TakeOptions } from './allowance.js'
import { describeWait } from './describe-wait.js'
import { machineMemory } from './machine-memory.js'
import type { Need } from './need.js'

/** What the machines of a state take together. */
export function needOf(state: AnyState, label: string): Need {
  const members = Object.values(state[DETAILS].members)
  const memory = members.map(({ machine }) => machineMemory(machine[DETAILS].options))
  return { memory: memory.reduce((sum, each) => sum + each, 0), machines: members.length, label }
}

/**
 * Waits until all machines of a state may be started at once, and tells whom it waits for.
 *
 * @param label - what they are for, as people call it
 * @throws VmStatesError `MACHINE_TOO_LARGE`, `ABORTED`
 */
export function admitMachines(
  state: AnyState,
  label: string,
  context: Context,
  options: Pick<TakeOptions, 'signal' | 'isStuck' | 'onWaiting' | 'isForBuild'>,
): Promise<Share> {
  const need = needOf(state, label)
  return context.allowance.take(need, { ...options, onWait: waitReport(need, context) })
}

/** Reports who holds what is waited for. */
export function waitReport(need: Need, context: Context): (held: readonly LedgerEntry[]) => void {
  return (held) =>
    context.report({ kind: 'memory', state: need.label, detail: describeWait(need, held) })
}
