import { join } from 'node:path'
import type { MachineDefinition } from '../../src/states/definitions/types.js'
import { ensure } from '../../src/states/graph/ensure.js'
import { ByHand } from './by-hand.js'
import type { Cleanups } from './cleanups.js'
import { type Configuration, nameOf } from './configuration.js'
import { fillScript, noiseIn } from './guest.js'
import type { Laboratory } from './laboratory.js'

type Powered = Awaited<ReturnType<ByHand['powerOn']>>

/**
 * A machine that was booted by hand and has filled its RAM, for QEMU's own snapshots.
 *
 * @param cleanups - to which the end of its files is added; the machine is the caller's to end, before
 * @param folder - for its files, in the laboratory's directory
 */
export async function bootFilled(
  configuration: Configuration,
  { context, definitions, directory }: Laboratory,
  { cleanups, folder }: { cleanups: Cleanups; folder: string },
): Promise<Powered> {
  const { memory, share } = configuration
  const name = nameOf(configuration)
  const { root } = definitions[name] as MachineDefinition
  const available = await ensure(root, context)
  cleanups.add(() => available.release())
  const byHand = await ByHand.of(root, available, {
    context,
    directory: join(directory, folder, name),
  })
  cleanups.add(() => byHand.tidy())
  const powered = await byHand.powerOn()
  const { monitor } = powered.machine
  await monitor.execute('cont')
  await powered.machine.ping()
  await powered.machine.run(fillScript(noiseIn(memory, share)))
  return powered
}
