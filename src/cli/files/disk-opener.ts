import type { DiskOpener } from '../../images/appliance/open-disk.js'
import { image } from '../../images/image.js'
import { machine } from '../../states/definitions/machine.js'
import { DETAILS } from '../../states/definitions/types.js'
import type { Context as StatesContext } from '../../states/graph/context.js'

/** What opens disks for a command: its machine ends with the command's run. */
export async function diskOpener(context: StatesContext, signal: AbortSignal): Promise<DiskOpener> {
  const guest = machine('files', { image: image.tiny() })
  const run = await context.run()
  const { binary, accelerator } = await context.emulatorOf(guest)
  const { arch, cpuModel, machineType } = guest[DETAILS].options
  return {
    ...{ store: context.store, binary, accelerator, signal },
    ...{ arch, cpuModel, machineType },
    directory: await run.machineDirectory('files'),
    onSpawn: (pid) => run.addProcess(pid),
  }
}
