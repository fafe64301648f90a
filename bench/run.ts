// npm run bench [-- REPETITIONS]
import { cpus } from 'node:os'
import { withAdmissions } from './admissions.js'
import { commands } from './commands.js'
import { type Comparison, compare, type Measured, toTable } from './comparison.js'
import { fileBackends } from './file-backends.js'
import { withKeys } from './keys.js'
import { withChain } from './lookups.js'
import { withMachines } from './machines.js'
import { inScratch } from './scratch.js'

const repetitions = Number(process.argv[2] ?? 30)
const rows: Measured[] = []

async function measure(comparisons: readonly Comparison[]): Promise<void> {
  for (const comparison of comparisons) {
    process.stderr.write(`${comparison.title} …\n`)
    rows.push(await compare(comparison, repetitions))
  }
}

await inScratch(async (directory) => {
  await measure(await fileBackends(directory))
  await measure(await commands(directory))
  await withKeys(directory, measure)
  await withChain(directory, measure)
  await withAdmissions(directory, measure)
  await withMachines(directory, measure)
})

const [processor] = cpus()
console.log(
  `${repetitions} rounds, medians; ${cpus().length} × ${processor?.model}, Node ${process.version}\n`,
)
console.log(toTable(rows))
