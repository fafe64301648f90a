import { Context as StatesContext } from '../../states/graph/context.js'
import type { OnBuildEvent } from '../../states/graph/progress.js'
import type { Context } from '../report.js'
import type { Definitions } from './load-machines.js'
import { stepText } from './step-text.js'

interface WithContextOptions {
  build: 'missing' | 'never'
  /** How many may go on at once. */
  builds?: number | undefined
  onBuildEvent?: OnBuildEvent
}

/** Opens the store of a configuration for a command, and ends everything when it is done. */
export async function withContext<Result>(
  { config }: Pick<Definitions, 'config'>,
  { build, builds, onBuildEvent }: WithContextOptions,
  { progress }: Context,
  use: (context: StatesContext) => Promise<Result>,
): Promise<Result> {
  await using context = await StatesContext.open({
    ...config,
    build,
    builds,
    label: 'states',
    onBuildEvent:
      onBuildEvent ??
      ((event) => {
        const text = stepText(event)
        if (text !== undefined) progress.step(`${event.state}: ${text}`)
      }),
  })
  return await use(context)
}
