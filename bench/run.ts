// npm run bench [-- [small | live | PART OF LIVE ...] [REPETITIONS]]
import { cpus } from 'node:os'
import { withAdmissions } from './admissions.js'
import { commands } from './commands.js'
import { type Comparison, compare, type Measured, toTable } from './comparison.js'
import { fileBackends } from './file-backends.js'
import { withKeys } from './keys.js'
import { measureLive, PART_NAMES } from './live/measure-live.js'
import { withChain } from './lookups.js'
import { withMachines } from './machines.js'
import { inScratch } from './scratch.js'

const words = process.argv.slice(2)
const given = words.find((word) => /^\d+$/.test(word))
const repetitions = Number(given ?? 30)
const liveRounds = Number(given ?? 20)
const isWanted = (part: string) => words.includes(part) || words.every((word) => /^\d+$/.test(word))
const rows: Measured[] = []

async function measure(comparisons: readonly Comparison[]): Promise<void> {
  for (const comparison of comparisons) {
    process.stderr.write(`${comparison.title} …\n`)
    rows.push(await compare(comparison, repetitions))
  }
}

if (isWanted('small')) {
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
}
const parts = PART_NAMES.filter((name) => words.includes(name))
if (isWanted('live') || parts.length > 0) {
  console.log(await inScratch((directory) => measureLive(directory, liveRounds, parts)))
}
