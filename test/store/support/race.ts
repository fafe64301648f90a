import { WorkerProcess } from './worker-process.js'

/** Milliseconds that a process takes part at least. */
const AT_ONCE = 500

/** How to race for a lock. */
export interface RaceOptions {
  /** One command prefix per process. */
  processes: readonly (readonly string[])[]
  /** How long it goes on at least. */
  milliseconds: number
  /** How much must happen: a slow host gets the time that it takes. */
  atLeast?: { acquired: number; killed: number }
  /** The mean time that a process lives, in ms; it is replaced when it died. 0: none dies early. */
  deadlyEvery: number
}

/** What happened in a race. */
export interface RaceResult {
  acquired: number
  killed: number
  overlaps: string[]
}

/** Lets processes race for the lock `race` of a store, and counts how often two held it at once. */
export async function race(
  program: string,
  store: string,
  { processes, milliseconds, deadlyEvery, atLeast }: RaceOptions,
): Promise<RaceResult> {
  const end = performance.now() + milliseconds
  const result: RaceResult = { acquired: 0, killed: 0, overlaps: [] }
  const goesOn = () =>
    performance.now() < end ||
    result.acquired < (atLeast?.acquired ?? 0) ||
    result.killed < (atLeast?.killed ?? 0)
  const runLane = async (prefix: readonly string[]): Promise<void> => {
    while (goesOn()) {
      await using worker = new WorkerProcess(program, store, prefix)
      try {
        const left = Math.max(end - performance.now(), AT_ONCE)
        await worker.call('race', 'race', left, deadlyEvery)
      } catch (error) {
        if (deadlyEvery === 0 || worker.running) throw error
        result.killed += 1
      }
      result.acquired += worker.acquired
      result.overlaps.push(...worker.overlaps)
    }
  }
  await Promise.all(processes.map(runLane))
  return result
}
