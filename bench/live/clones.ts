import { readFile } from 'node:fs/promises'
import type { MachineDefinition, State } from '../../src/states/definitions/types.js'
import { ensure } from '../../src/states/graph/ensure.js'
import { type MachinesInHand, openMachines } from '../../src/states/machines/machines-in-hand.js'
import { type Configuration, nameOf } from './configuration.js'
import { fillScript, noiseIn } from './guest.js'
import type { Laboratory } from './laboratory.js'
import { type Course, runInTurn, stopwatch } from './samples.js'

const CLONES = [1, 2, 4, 8]

/** The memory of several machines at once, and of one that was booted and filled in the same way. */
export async function measureClones(
  configuration: Configuration,
  laboratory: Laboratory,
): Promise<void> {
  const { context, definitions, samples } = laboratory
  const { memory, share } = configuration
  const name = nameOf(configuration)
  const cold = definitions[`${name}_cold`] as MachineDefinition
  const booted = await openMachines(cold.root, context, {})
  await booted.handle().exec('/bin/sh', ['-ec', fillScript(noiseIn(memory, share))], {
    timeout: 600_000,
  })
  samples.add('clones/booted/pss', await proportionalSize([booted]))
  await booted.close()
  const state = definitions[`${name}_fork`] as State
  const kept = await ensure(state, context)
  await runInTurn(
    'clones',
    CLONES.map((count) => clonesCourse(state, count, laboratory)),
    laboratory,
  )
  await kept.release()
}

function clonesCourse(state: State, count: number, { context }: Laboratory): Course {
  let clones: MachinesInHand[] = []
  return {
    name: String(count),
    async run() {
      const elapsed = stopwatch()
      const opened = Array.from({ length: count }, () => openMachines(state, context, {}))
      clones = await Promise.all(opened)
      const right = elapsed()
      await Promise.all(opened.map(async (clone) => (await clone).handle().ready()))
      return { right, pss: await proportionalSize(clones) }
    },
    async cleanUp() {
      await Promise.all(clones.map((clone) => clone.close()))
    },
  }
}

/** MiB of memory: what several processes share counts once. */
async function proportionalSize(machines: readonly MachinesInHand[]): Promise<number> {
  const pids = machines.flatMap(({ processes }) => processes.map(({ pid }) => pid))
  const sizes = pids.map(async (pid) => {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
    return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]) / 1024
  })
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
