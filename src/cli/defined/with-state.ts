import { VmStatesError } from '../../params/errors.js'
import type { AnyState } from '../../states/definitions/types.js'
import type { Context as StatesContext } from '../../states/graph/context.js'
import type { Context } from '../report.js'
import type { DefinedState } from '../targets/target.js'
import { type Definitions, findDefinition, findState, loadDefinitions } from './load-machines.js'
import { withContext } from './with-context.js'

/** A state of the configuration, found for a command. */
export interface FoundState {
  /** As people call it: `debian/nginx`, `debian/nginx booted`. */
  name: string
  state: AnyState
  /** Whether the kept boot of the state is meant. */
  booted: boolean
  context: StatesContext
}

/**
 * Finds the one state that a command is about, and opens the store for it.
 *
 * @param options - `build`: what to do for a state that is not in the store, by the configuration
 * @throws VmStatesError `USAGE` for a machine alone, `STATE_UNKNOWN`, `INVALID_CONFIG`
 */
export async function withState<Result>(
  target: DefinedState,
  { build = () => 'never' }: { build?: (config: Definitions['config']) => 'missing' | 'never' },
  context: Context,
  use: (found: FoundState) => Promise<Result>,
): Promise<Result> {
  if (target.state === undefined) throw stateMissing(target.machine)
  const definitions = await loadDefinitions()
  const state = findState(findDefinition(definitions, target.machine), target.state)
  const { booted } = target
  const name = `${target.machine}/${target.state}${booted ? ' booted' : ''}`
  const options = { build: build(definitions.config) }
  return await withContext(definitions, options, context, (opened) =>
    use({ name, state, booted, context: opened }),
  )
}

function stateMissing(machine: string): VmStatesError {
  return new VmStatesError('USAGE', `${machine} is neither an image nor machine/state`, {
    hint: `For an image that is not there yet or has no suffix, write ./${machine}; for a state, ${machine}/STATE.`,
  })
}
