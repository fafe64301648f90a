import { readdirSync, readFileSync } from 'node:fs'
import type { State } from '../../src/states/definitions/types.js'
import { openMachines } from '../../src/states/machines/machines-in-hand.js'
import { clockError } from '../../test/states/machines/waking.js'
import { type Configuration, nameOf } from './configuration.js'
import type { Laboratory } from './laboratory.js'

/** How many of the restores are looked at for clock and random numbers. */
const CLONES = 50

/**
 * Restores a state again and again in this process: what is left, and whether the clones are right.
 *
 * @param restores - how many
 */
export async function measureOften(
  configuration: Configuration,
  { context, definitions, samples }: Laboratory,
  restores: number,
): Promise<void> {
  const state = definitions[`${nameOf(configuration)}_fork`] as State
  const run = await context.run()
  const random = new Set<string>()
  let clockOff = 0
  const before = countLeft(run.directory)
  for (let done = 1; done <= restores; done += 1) {
    await using machines = await openMachines(state, context, {})
    const [process] = machines.processes
    if (done <= CLONES && process !== undefined) {
      clockOff = Math.max(clockOff, await clockError(process))
      random.add((await machines.handle().$`head -c 16 /dev/urandom | od -An -tx1`).stdout)
    }
    await machines.close()
    if (done === restores / 5) samples.add('leaks/memory before', residentSize())
  }
  samples.add('leaks/memory after', residentSize())
  const after = countLeft(run.directory)
  for (const [kind, count] of Object.entries(after)) {
    samples.add(`leaks/${kind}`, count - before[kind as keyof typeof before])
  }
  const left = Object.entries(after).map(([kind, count]) =>
    Math.max(0, count - before[kind as keyof typeof before]),
  )
  samples.add(
    'leaks/left',
    left.reduce((sum, count) => sum + count, 0),
  )
  await measureRewinds(state, { context, samples }, restores)
  samples.add('right/clock', clockOff)
  samples.add('right/random', random.size)
}

/** What a QEMU has taken after one of its tests. */
interface Taken {
  /** MiB. */
  memory: number
  descriptors: number
}

/**
 * Brings a machine back to its state again and again: what its QEMU grows by, from a fifth of its tests to the last one.
 * Where code is translated, a QEMU is replaced by another one from time to time.
 */
async function measureRewinds(
  state: State,
  { context, samples }: Pick<Laboratory, 'context' | 'samples'>,
  times: number,
): Promise<void> {
  await using machines = await openMachines(state, context, {})
  const byProcess = new Map<number, Taken[]>()
  for (let done = 1; done <= times; done += 1) {
    await machines.handle().$`true`
    await machines.reset()
    const pid = machines.processes[0]?.pid
    if (pid === undefined) throw new Error('there is no machine')
    const taken = { memory: residentSizeOf(pid), descriptors: descriptorsOf(pid) }
    byProcess.set(pid, [...(byProcess.get(pid) ?? []), taken])
  }
  // The last one may have had few.
  const all = [...byProcess.values()]
  const longest = Math.max(...all.map(({ length }) => length))
  for (const tests of all.filter(({ length }) => length > longest / 2)) {
    const before = tests[Math.floor(tests.length / 5)] as Taken
    const after = tests.at(-1) as Taken
    samples.add('leaks/tests of a QEMU', tests.length)
    samples.add('leaks/QEMU before', before.memory)
    samples.add('leaks/QEMU after', after.memory)
    samples.add('leaks/QEMU descriptors before', before.descriptors)
    samples.add('leaks/QEMU descriptors after', after.descriptors)
  }
}

/** MiB. */
function residentSizeOf(pid: number): number {
  const [, size] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(size) / 1024
}

function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** What there is of everything that a restore could leave behind. */
function countLeft(runDirectory: string) {
  const descriptors = readdirSync('/proc/self/fd')
  return {
    processes: children().length,
    descriptors: descriptors.length,
    sockets: readFileSync('/proc/self/net/unix', 'utf8')
      .split('\n')
      .filter((line) => line.includes(runDirectory)).length,
    files: readdirSync(runDirectory, { recursive: true }).length,
  }
}

function children(): string[] {
  return readdirSync('/proc/self/task').flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  )
}

/** MiB, after what is garbage was collected where Node was told to let it be. */
function residentSize(): number {
  globalThis.gc?.()
  return process.memoryUsage.rss() / 2 ** 20
}
