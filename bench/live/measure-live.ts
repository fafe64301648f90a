import { CONFIGURATIONS } from './configuration.js'
import { inLaboratory } from './laboratory.js'
import { writeReport } from './report.js'
import { measureBoot, measureRestores } from './restores.js'
import { Samples } from './samples.js'

const FEW = 5

/** Measures live states against everything else, and writes the report. @returns its text */
export async function measureLive(directory: string, rounds: number): Promise<string> {
  const samples = new Samples()
  // A short run leaves out what takes long.
  const configurations = CONFIGURATIONS.filter(({ memory }) => rounds > FEW || memory < 2 ** 31)
  const parts = { directory, configurations: CONFIGURATIONS, samples, rounds }
  await inLaboratory(parts, async (laboratory) => {
    const steps: [string, () => Promise<void>][] = [
      ...configurations.map((configuration) =>
        named('restores', () => measureRestores(configuration, laboratory)),
      ),
      ...configurations
        .filter(({ share }) => share === 0.25)
        .map((configuration) => named('boot', () => measureBoot(configuration, laboratory))),
    ]
    for (const [name, step] of steps) {
      const started = performance.now()
      await step()
      process.stderr.write(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s\n`)
    }
  })
  return await writeReport(samples, rounds)
}

function named(name: string, step: () => Promise<void>): [string, () => Promise<void>] {
  return [name, step]
}
