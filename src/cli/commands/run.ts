import type { Context, Report } from '../report.js'
import { parseRunOptions, type RunFlags } from '../run/run-options.js'
import { parseTarget } from '../targets/target.js'

/** `states run`: resumes a state, to look at it or to work in it. */
export async function run(
  name: string,
  booted: string | undefined,
  flags: RunFlags,
  context: Context,
): Promise<Report> {
  const options = parseRunOptions(flags)
  const target = parseTarget(name, booted)
  const { openRunnable } = await import('../run/open-runnable.js')
  const { runState } = await import('../run/run-state.js')
  return await openRunnable(target, context, (runnable) => runState(runnable, options, context))
}
