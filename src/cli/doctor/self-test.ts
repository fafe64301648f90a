import { randomUUID } from 'node:crypto'
import { image } from '../../images/image.js'
import type { LoadedConfig } from '../../params/load-config.js'
import { removeState } from '../../states/catalogue/remove-state.js'
import { machine } from '../../states/definitions/machine.js'
import { Context as StatesContext } from '../../states/graph/context.js'
import { ensure } from '../../states/graph/ensure.js'
import { openMachines } from '../../states/machines/machines-in-hand.js'
import { stepText } from '../defined/step-text.js'
import type { Context } from '../report.js'
import type { Finding } from './finding.js'

const MARK = '/root/mark'

/**
 * Boots the built-in guest, saves it as a live state and restores it twice, in the user's own store.
 * The state is removed again; the guest's image stays for whoever needs it next.
 *
 * @throws VmStatesError whatever fails
 */
export async function selfTest(
  { store, qemu, limits }: Pick<LoadedConfig, 'store' | 'qemu' | 'limits'>,
  { progress, signal }: Pick<Context, 'progress' | 'signal'>,
): Promise<Finding[]> {
  await using context = await StatesContext.open({
    store,
    qemu,
    limits,
    label: 'states doctor',
    onBuildEvent: (event) => {
      const text = stepText(event)
      if (text !== undefined) progress.step(`${event.state}: ${text}`)
    },
  })
  const mark = randomUUID()
  const guest = machine('doctor', { image: image.tiny(), memory: '128 MiB' })
  const saved = guest.live('saved', (vm) => vm.writeFile(MARK, mark), {
    inputs: { values: { mark } },
  })
  const { accelerator } = await context.emulatorOf(guest)
  const findings: Finding[] = [{ name: 'accelerator', status: 'ok', found: accelerator }]
  const step = async (name: string, work: () => Promise<Omit<Finding, 'name'>>) => {
    progress.step(`self-test: ${name}`)
    const started = performance.now()
    const { status, found } = await work()
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    findings.push({ name, status, found: `${found} (${seconds} s)` })
  }

  try {
    await step('boot and save', async () => {
      await (await ensure(saved, context, { signal })).release()
      return { status: 'ok', found: 'a tiny guest was booted and saved' }
    })
    await step('restore', async () => {
      await using restored = await openMachines(saved, context, { signal })
      await restored.handle().writeFile(MARK, 'changed')
      await restored.reset(signal)
      return (await restored.handle().readFile(MARK)) === mark
        ? { status: 'ok', found: 'it was restored, changed, and restored without the change' }
        : { status: 'problem', found: 'a restored guest shows a change from before' }
    })
  } finally {
    await removeState(saved, context)
  }
  return findings
}
