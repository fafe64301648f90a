import { VmStatesError } from '../../params/errors.js'
import type { Context, Report } from '../report.js'
import { parseTarget } from '../targets/target.js'

/** `states explain`: what the key of a state is made of, and what has changed since its last build. */
export async function explain(
  name: string,
  word: string | undefined,
  { against }: { against?: string },
  context: Context,
): Promise<Report> {
  const target = parseTarget(name, word)
  if (target.kind === 'image') {
    const asked = word === undefined ? name : `${name} ${word}`
    throw new VmStatesError('USAGE', `${asked} is not the name of a state`, {
      hint: 'It takes machine/state, or machine/state booted.',
    })
  }
  context.progress.step('reading the states')
  const { explainDefined } = await import('../defined/explain-defined.js')
  return await explainDefined(target, against, context)
}
