// A booted guest for campaigns: `tiny`, or `debian`, as tests have them.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createJiti } from 'jiti'

const jiti = createJiti(import.meta.url)
const { image } = await jiti.import('../../../src/images/image.ts')
const { machine } = await jiti.import('../../../src/states/definitions/machine.ts')
const { Context } = await jiti.import('../../../src/states/graph/context.ts')
const { openMachines } = await jiti.import('../../../src/states/machines/machines-in-hand.ts')
const { debianImage } = await jiti.import('../../../test/support/debian/image.ts')

/** What a machine says for its guest to be talked to in another way than by its agent. */
const WAYS = {
  ssh: { guest: 'ssh', firstBoot: {} },
  console: { guest: 'console', consoleUser: 'root' },
}

const IMAGES = { tiny: async () => image.tiny(), debian: debianImage }

/**
 * Boots a guest, with a disk beside its own, calls `use` with its handle and an empty directory, and ends it.
 *
 * @param channel - `agent`, `ssh` or `console`
 */
export async function withBooted(name, channel, use) {
  const directory = await mkdtemp(join(tmpdir(), 'vms-campaign-'))
  const context = await Context.open({ store: join(directory, 'store'), label: 'campaign' })
  const options = { boot: 'cold', memory: '512 MiB', readyTimeout: 600_000 }
  const disks = [{ name: 'scratch', size: '3 GiB' }]
  try {
    const definition = machine(name, {
      image: await IMAGES[name](),
      disks,
      ...options,
      ...WAYS[channel],
    })
    const opened = await openMachines(definition.root, context)
    try {
      return await use(opened.handle(), directory)
    } finally {
      await opened.close()
    }
  } finally {
    await context.close()
    await rm(directory, { recursive: true, force: true })
  }
}

/** What `work` gives, and how many seconds it took. */
export async function timed(work) {
  const start = performance.now()
  const result = await work()
  return { result, seconds: (performance.now() - start) / 1000 }
}
