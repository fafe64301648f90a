import { nameOf } from '../definitions/name-of.js'
import type { AnyState } from '../definitions/types.js'
import type { Context } from '../graph/context.js'
import { needOf, waitReport } from './admit-machines.js'
import type { TakeOptions } from './allowance.js'
import type { Need } from './need.js'

/** The states that a test file names. */
export interface FileStates {
  /** Each test that needs one has its machines for itself, and gives them back. */
  own: readonly AnyState[]
  /** Their machines live until the last test that needs them has ended. */
  shared: readonly AnyState[]
}

/**
 * Waits until there is memory for one test of a file, and keeps it for the file: all machines that its
 * tests share, and the largest of those that a test has for itself. A test that needs more waits then.
 *
 * @throws VmStatesError `ABORTED`
 */
export async function reserveMachines(
  { own, shared }: FileStates,
  context: Context,
  options: Pick<TakeOptions, 'signal' | 'isStuck'>,
): Promise<void> {
  const toNeed = (state: AnyState) => needOf(state, nameOf(state))
  const largest = own.map(toNeed).sort((a, b) => b.memory - a.memory)
  const parts = [...shared.map(toNeed), ...largest.slice(0, 1)]
  if (parts.length === 0) return
  const need: Need = {
    memory: sum(parts.map(({ memory }) => memory)),
    machines: sum(parts.map(({ machines }) => machines)),
    label: parts.map(({ label }) => label).join(', '),
  }
  await context.allowance.reserve(need, { ...options, onWait: waitReport(need, context) })
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
