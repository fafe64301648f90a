import { describeBoot, describeState } from '../../states/catalogue/describe-state.js'
import type { Context, Report } from '../report.js'
import type { DefinedState } from '../targets/target.js'
import { viewState } from './state-view.js'
import { withState } from './with-state.js'

/** Whether a state of the configuration is built, as the configuration now has it. */
export function checkDefined(target: DefinedState, command: Context): Promise<Report> {
  return withState(target, {}, command, async ({ name, state, booted, context }) => {
    const { status } = viewState(await (booted ? describeBoot : describeState)(state, context))
    const exists = status === 'built' || status === 'image'
    return {
      data: { exists, state: name },
      text: `${name} is ${exists ? 'there' : 'not built'}`,
      exitCode: exists ? 0 : 1,
    }
  })
}
