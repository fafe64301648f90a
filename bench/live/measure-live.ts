import { measureClones } from './clones.js'
import { CONFIGURATIONS, type Configuration } from './configuration.js'
import { inLaboratory, type Laboratory } from './laboratory.js'
import { measureOften } from './often.js'
import { writeReport } from './report.js'
import { measureBoot, measureRestores } from './restores.js'
import { Samples } from './samples.js'
import { measureSaves } from './saves.js'
import { GIB, MIB } from './sizes.js'
import { Suites, suitesOf } from './suites.js'

/** With fewer rounds, what takes long is left out. */
const ROUNDS = 20

const TINY: Configuration = { memory: 256 * MIB, share: 0.25 }
const SMALL: Configuration = { memory: 512 * MIB, share: 0.25 }
const MIDDLE: Configuration = { memory: GIB, share: 0.25 }
const FULL: Configuration = { memory: GIB, share: 0.75 }
const LARGE: Configuration = { memory: 4 * GIB, share: 0.75 }

/** What is measured, by the name that it can be asked for by. */
const PARTS: Readonly<Record<string, (laboratory: Laboratory) => Promise<void>>> = {
  async restores(laboratory) {
    const isMeasured = ({ memory }: Configuration) => !isShort(laboratory) || memory < GIB
    for (const configuration of CONFIGURATIONS.filter(isMeasured)) {
      await measureRestores(configuration, laboratory)
    }
  },
  async boots(laboratory) {
    const sizes = CONFIGURATIONS.filter(({ share }) => share === TINY.share)
    for (const size of isShort(laboratory) ? [TINY] : sizes) await measureBoot(size, laboratory)
  },
  async suites(laboratory) {
    const large = isShort(laboratory) ? undefined : LARGE
    const { rounds } = laboratory
    await using suites = await Suites.create(laboratory, [...CONFIGURATIONS, SMALL])
    await suites.measureFixture(MIDDLE, rounds)
    for (const [name, suite] of suitesOf(SMALL, large, rounds)) await suites.measure(name, suite)
  },
  saves: (laboratory) => measureSaves(FULL, laboratory),
  clones: (laboratory) => measureClones(FULL, laboratory),
  often: (laboratory) => measureOften(TINY, laboratory, isShort(laboratory) ? 50 : 500),
}

/**
 * Measures live states against everything else.
 *
 * @param wanted - which parts; all where none is named
 * @returns the report's text
 */
export async function measureLive(
  directory: string,
  rounds: number,
  wanted: readonly string[],
): Promise<string> {
  const samples = new Samples()
  const parts = { directory, configurations: [...CONFIGURATIONS, SMALL], samples, rounds }
  const isAll = wanted.length === 0
  const failures: unknown[] = []
  await inLaboratory(parts, async (laboratory) => {
    for (const [name, measure] of Object.entries(PARTS)) {
      if (!isAll && !wanted.includes(name)) continue
      const started = performance.now()
      // What the other parts have measured is not lost with it.
      await measure(laboratory).catch((error: unknown) => failures.push(error))
      process.stderr.write(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s\n`)
    }
  })
  const report = await writeReport(samples, { rounds, isKept: isAll && rounds >= ROUNDS })
  if (failures.length > 0) throw new AggregateError(failures, 'parts of the benchmark failed')
  return report
}

/** The words that name parts. */
export const PART_NAMES: readonly string[] = Object.keys(PARTS)

function isShort({ rounds }: Laboratory): boolean {
  return rounds < ROUNDS
}
