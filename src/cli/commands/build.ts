import { VmStatesError } from '../../params/errors.js'
import type { OnBuildEvent } from '../../states/graph/progress.js'
import { Board } from '../output/board.js'
import type { Context, Report } from '../report.js'
import { joinBooted } from '../targets/booted.js'

/** What the command line says of a build. */
export interface BuildOptions {
  force?: boolean
  jobs?: string
  boots?: boolean
}

/** `states build`: builds states of the configuration ahead of a run. */
export async function build(
  names: readonly string[],
  { force = false, jobs, boots = true }: BuildOptions,
  context: Context,
): Promise<Report> {
  const builds = jobs === undefined ? undefined : parseJobs(jobs)
  const { progress, terminal, signal } = context
  progress.step('reading the configuration')
  const { loadDefinitions, requireDefinitions } = await import('../defined/load-machines.js')
  const { selectStates } = await import('../defined/select-states.js')
  const definitions = await loadDefinitions()
  if (names.length === 0) requireDefinitions(definitions)
  const states = selectStates(definitions, joinBooted(names))
  progress.stop()
  const [{ buildAll }, { withContext }, { buildReport, outcomeText }, { stepText }] =
    await Promise.all([
      import('../../states/graph/build-all.js'),
      import('../defined/with-context.js'),
      import('../defined/build-report.js'),
      import('../defined/step-text.js'),
    ])
  const board = new Board(terminal.stream, terminal.colors)
  const startedAt = performance.now()
  try {
    // Whoever asks for a build wants one, also where tests are not to build.
    const onBuildEvent: OnBuildEvent = (event) => {
      if (event.kind === 'notice') board.say(event.text)
      const text = stepText(event)
      if (text !== undefined) board.begin(event.state, text)
    }
    const options = { build: 'missing', builds, onBuildEvent } as const
    const results = await withContext(definitions, options, context, (opened) =>
      buildAll(states, opened, {
        boots,
        rebuild: force,
        signal,
        onResult: (result) => board.end(result.name, outcomeText(result)),
      }),
    )
    const seconds = (performance.now() - startedAt) / 1000
    const { store } = definitions.config
    return buildReport(results, { store, seconds }, context.colors)
  } finally {
    board.stop()
  }
}

function parseJobs(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text)
  throw new VmStatesError('USAGE', `--jobs is ${JSON.stringify(text)}, not a number of builds`, {
    hint: 'A whole number from 1, as in: states build --jobs 2',
  })
}
