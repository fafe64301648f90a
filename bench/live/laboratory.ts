import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadModule } from '../../src/params/load-module.js'
import { Context } from '../../src/states/graph/context.js'
import { debianDisk } from '../../test/support/debian/image.js'
import { makeStoreWithTiny } from '../../test/support/store-with-tiny.js'
import { type TinyGuest, tinyGuest } from '../../test/support/tiny.js'
import { type Configuration, statesModule } from './configuration.js'
import { Libvirt } from './libvirt.js'
import type { Samples } from './samples.js'

/** What all measurements of live states share. */
export interface Laboratory {
  /** Everything is in it. */
  directory: string
  store: string
  context: Context
  libvirt: Libvirt
  guest: TinyGuest
  /** The path of the Debian guest's disk. */
  disk: string
  /** What the module of {@link statesModule} exports. */
  definitions: Readonly<Record<string, unknown>>
  samples: Samples
  rounds: number
}

/** Opens it in an empty directory; `work` runs while it is open. */
export async function inLaboratory(
  parts: { directory: string; configurations: readonly Configuration[] } & Pick<
    Laboratory,
    'samples' | 'rounds'
  >,
  work: (laboratory: Laboratory) => Promise<void>,
): Promise<void> {
  const { directory, configurations } = parts
  // Another user runs libvirt.
  await chmod(directory, 0o755)
  const place = (name: string) => join(directory, name)
  const [store, states] = [place('store'), place('states.ts')]
  await makeStoreWithTiny(store)
  const entry = fileURLToPath(new URL('../../dist/states.js', import.meta.url))
  const disk = await debianDisk()
  await writeFile(states, statesModule(configurations, { entry, disk }))
  await mkdir(place('libvirt'))
  await using context = await Context.open({ store, label: 'bench' })
  await using libvirt = await Libvirt.start(place('libvirt'))
  const definitions = await loadModule(states)
  const guest = await tinyGuest()
  await work({ ...parts, store, disk, context, libvirt, definitions, guest })
}
