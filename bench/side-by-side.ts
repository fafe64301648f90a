import { performance } from 'node:perf_hooks'

/** Something to time: `prepare` and `cleanUp` are not counted. */
export interface Subject {
  name: string
  prepare?(): Promise<void> | void
  run(): Promise<void> | void
  cleanUp?(): Promise<void> | void
}

/** The times of one subject, in milliseconds. */
export interface Timing {
  name: string
  median: number
  min: number
  max: number
}

/** The value below which a share of sorted values lies. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)] as number
  const above = sorted[Math.ceil(at)] as number
  return below + (above - below) * (at - Math.floor(at))
}

async function timeOnce(subject: Subject): Promise<number> {
  await subject.prepare?.()
  const start = performance.now()
  await subject.run()
  const milliseconds = performance.now() - start
  await subject.cleanUp?.()
  return milliseconds
}

/**
 * Times subjects in turn, A B C A B C …, so that a machine that gets slower meanwhile slows all of
 * them; the first round warms up and is not counted.
 */
export async function sideBySide(
  subjects: readonly Subject[],
  repetitions: number,
): Promise<Timing[]> {
  const samples = subjects.map((): number[] => [])
  for (let round = 0; round <= repetitions; round += 1) {
    for (const [index, subject] of subjects.entries()) {
      const milliseconds = await timeOnce(subject)
      if (round > 0) samples[index]?.push(milliseconds)
    }
  }
  return subjects.map(({ name }, index) => {
    const sorted = (samples[index] ?? []).toSorted((a, b) => a - b)
    return {
      name,
      median: quantile(sorted, 0.5),
      min: quantile(sorted, 0),
      max: quantile(sorted, 1),
    }
  })
}
