import { VmStatesError } from '../../params/errors.js'
import { removeState } from '../../states/catalogue/remove-state.js'
import type { Context, Report } from '../report.js'
import { type PolicyFlags, policyOptions } from '../targets/policy-options.js'
import type { DefinedState } from '../targets/target.js'
import { withState } from './with-state.js'

const SENTENCES: Readonly<Record<string, string>> = {
  removed: 'is removed from the store',
  kept: 'is kept',
  ignored: 'is not in the store',
}

/** Removes a built state of the configuration, or only its kept boot, from the store. */
export function unsetDefined(
  target: DefinedState,
  flags: PolicyFlags,
  command: Context,
): Promise<Report> {
  return withState(target, {}, command, async ({ name, state, booted, context }) => {
    if (state.name === 'root' && !booted) {
      throw new VmStatesError('SETUP_ONLY', `${name} is the image itself`, {
        hint: 'It is no state of the store; remove the states that stand on it one by one.',
      })
    }
    const outcome = await removeState(state, context, {
      ...policyOptions(flags, command.signal),
      boot: booted,
    })
    return { data: { outcome, state: name }, text: `${name} ${SENTENCES[outcome]}` }
  })
}
