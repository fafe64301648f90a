import type { Context, Report } from '../report.js'

/** `states explain`: what the key of a state is made of, and what has changed since its last build. */
export async function explain(
  name: string,
  { against }: { against?: string },
  context: Context,
): Promise<Report> {
  context.progress.step('reading the states')
  const { explainDefined } = await import('../defined/explain-defined.js')
  return await explainDefined(name, against, context)
}
