import { quantile } from '../side-by-side.js'

/** What a series of times comes down to; the unit is that of the times. */
export interface Spread {
  count: number
  median: number
  lower: number
  upper: number
}

/** Measurements by name, in the order in which they were first made. */
export class Samples {
  readonly #values = new Map<string, number[]>()

  add(name: string, value: number): void {
    const known = this.#values.get(name)
    if (known === undefined) this.#values.set(name, [value])
    else known.push(value)
  }

  /** Of what was measured. */
  get names(): string[] {
    return [...this.#values.keys()]
  }

  /** Median and quartiles; undefined where nothing was measured. */
  spread(name: string): Spread | undefined {
    const values = this.#values.get(name)
    if (values === undefined) return undefined
    const sorted = values.toSorted((a, b) => a - b)
    return {
      count: sorted.length,
      median: quantile(sorted, 0.5),
      lower: quantile(sorted, 0.25),
      upper: quantile(sorted, 0.75),
    }
  }

  median(name: string): number | undefined {
    return this.spread(name)?.median
  }
}

/** Something to measure that passes several moments. */
export interface Course {
  name: string
  prepare?(): Promise<void>
  /** Milliseconds from the start to each moment; or other figures, by name. */
  run(): Promise<Readonly<Record<string, number>>>
  cleanUp?(): Promise<void>
}

/** Runs courses in turn, the first round not counted. The names of samples are `PREFIX/COURSE/MOMENT`. */
export async function runInTurn(
  prefix: string,
  courses: readonly Course[],
  { samples, rounds }: { samples: Samples; rounds: number },
): Promise<void> {
  for (let round = 0; round <= rounds; round += 1) {
    for (const course of courses) {
      await course.prepare?.()
      const moments = await course.run()
      await course.cleanUp?.()
      if (round === 0) continue
      for (const [moment, value] of Object.entries(moments)) {
        samples.add(`${prefix}/${course.name}/${moment}`, value)
      }
    }
  }
  for (const { name } of courses)
    process.stderr.write(`  ${summary(`${prefix}/${name}`, samples)}\n`)
}

function summary(name: string, samples: Samples): string {
  const moments = ['loaded', 'cont', 'agent', 'right', 'still', 'whole']
  const parts = moments.flatMap((moment) => {
    const median = samples.median(`${name}/${moment}`)
    return median === undefined ? [] : [`${moment} ${median.toFixed(1)}`]
  })
  return `${name}: ${parts.join(', ')} ms`
}

/** Reads a stopwatch that starts now, in milliseconds. */
export function stopwatch(): () => number {
  const start = performance.now()
  return () => performance.now() - start
}
