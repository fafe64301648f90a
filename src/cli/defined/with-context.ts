import { Context as StatesContext } from '../../states/graph/context.js'
import type { Context } from '../report.js'
import type { Definitions } from './load-machines.js'

/** What a build does, in words. */
const STEPS = {
  wait: 'waiting',
  image: 'preparing the image',
  start: 'starting the machine',
  setup: 'running the setup',
  capture: 'keeping the state',
} as const

/** Opens the store of a configuration for a command, and ends everything when it is done. */
export async function withContext<Result>(
  { config }: Pick<Definitions, 'config'>,
  { build }: { build: 'missing' | 'never' },
  { progress }: Context,
  use: (context: StatesContext) => Promise<Result>,
): Promise<Result> {
  await using context = await StatesContext.open({
    store: config.store,
    build,
    qemu: config.qemu,
    label: 'states',
    onBuildEvent: (event) => {
      if (event.kind === 'built') return
      const detail = event.detail === undefined ? '' : `: ${event.detail}`
      progress.step(`${event.state}: ${STEPS[event.step]}${detail}`)
    },
  })
  return await use(context)
}
