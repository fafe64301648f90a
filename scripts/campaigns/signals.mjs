// node scripts/campaigns/signals.mjs [--vitest DIRECTORY] [--only PATTERN]
//
// Ends a run of Vitest by a signal in every pool, while its test waits in its guest, waits on the
// host, or blocks its worker in an endless loop, and while its state is built; with gracefulExit and
// without. Prints when the summary was there and when nothing ran any more, and what the next command
// leaves in the store. Ends with 1 if something runs on after five seconds, a summary took longer
// than two, an exit code is wrong, or anything is left. Wants a quiet machine.
//
// --vitest: a directory with another Vitest and its Node: npm install vitest@5 node@24
// --only: a regular expression; the other cases are left out
import { constants } from 'node:os'
import { parseArgs } from 'node:util'
import { createJiti } from 'jiti'
import { untilGone } from './run-kill/processes.mjs'
import { InterruptibleSuite } from './signals/interruptible-suite.mjs'

const jiti = createJiti(import.meta.url)
const { brokenStates, leftInStore } = await jiti.import('../../test/support/store-faults.ts')

const { values: options } = parseArgs({
  options: { vitest: { type: 'string' }, only: { type: 'string', default: '' } },
})

const GONE_WITHIN = 5000
const SUMMARY_WITHIN = 2000
const SUMMARY = /^ VM states/m

const POOLS = ['forks', 'threads', 'vmThreads']
const PLACES = ['guest', 'host', 'build', 'loop']
const SIGNALS = {
  'Ctrl-C': { signal: 'SIGINT', toGroup: true },
  SIGTERM: { signal: 'SIGTERM', toGroup: false },
  SIGKILL: { signal: 'SIGKILL', toGroup: false },
}

function* allCases() {
  const only = new RegExp(options.only)
  for (const gracefulExit of [true, false])
    for (const pool of POOLS)
      for (const where of PLACES)
        for (const sent of Object.keys(SIGNALS)) {
          const title = `${gracefulExit ? 'graceful' : 'at once '} ${pool} ${where} ${sent}`
          if (only.test(title)) yield { title, gracefulExit, pool, where, sent }
        }
}

const inSeconds = (milliseconds) =>
  milliseconds === undefined ? '-' : `${(milliseconds / 1000).toFixed(1)} s`

/** Sends the signal, and gives what became of the run. */
async function interrupt(suite, { pool, where, gracefulExit, sent }) {
  const { signal, toGroup } = SIGNALS[sent]
  const run = await suite.startAndPark({ pool, where, gracefulExit })
  const { child } = run
  let summary
  const sentAt = performance.now()
  child.stdout.on('data', () => {
    if (SUMMARY.test(run.output())) summary ??= performance.now() - sentAt
  })
  process.kill(toGroup ? -child.pid : child.pid, signal)
  const left = await untilGone(() => suite.processes(), GONE_WITHIN)
  const gone = left.length === 0 ? performance.now() - sentAt : undefined
  for (const { pid } of left) process.kill(pid, 'SIGKILL')
  const { code, signal: killedBy } = await run.ended
  // As a shell has it.
  const exit = code ?? 128 + constants.signals[killedBy]
  return { summary, gone, left, exit, output: run.output() }
}

function faultsOf(which, { summary, left, exit, output }) {
  const faults = []
  faults.push(...left.map(({ pid, command }) => `still runs: ${pid} ${command.slice(0, 200)}`))
  const expected = 128 + constants.signals[SIGNALS[which.sent].signal]
  if (exit !== expected) faults.push(`exit code ${exit} instead of ${expected}: ${output}`)
  const isTold = which.gracefulExit && which.sent !== 'SIGKILL'
  if (isTold && !(summary < SUMMARY_WITHIN)) faults.push(`no summary in time: ${output}`)
  if (!isTold && summary !== undefined) faults.push(`a summary: ${output}`)
  return faults
}

/** What the run has left: at once, and after the next command. */
async function lookIntoStore(suite) {
  const before = await leftInStore(suite.store)
  const list = suite.startStates('list')
  const { code } = await list.ended
  const faults = code === 0 ? [] : [`states list ended with ${code}: ${list.output()}`]
  const after = await leftInStore(suite.store)
  faults.push(...after.map((path) => `left in the store: ${path}`))
  faults.push(...(await brokenStates(suite.store)))
  return { before: before.length, after: after.length, faults }
}

const COLUMNS = [32, 8, 8, 5, 11, 11, 7]
const print = (...cells) => {
  console.log(
    cells
      .map((cell, index) => String(cell).padEnd(COLUMNS[index]))
      .join(' ')
      .trimEnd(),
  )
}

const suite = await InterruptibleSuite.open()
let failed = 0
try {
  if (options.vitest !== undefined) suite.useVitestOf(options.vitest)
  console.log(suite.versions)
  print('', 'summary', 'gone', 'exit', 'files left', 'after list')
  for (const which of allCases()) {
    const result = await interrupt(suite, which)
    const store = await lookIntoStore(suite)
    const faults = [...faultsOf(which, result), ...store.faults]
    const gone = result.gone === undefined ? 'runs on' : inSeconds(result.gone)
    const verdict = faults.length > 0 ? 'FAILED' : ''
    print(
      which.title,
      inSeconds(result.summary),
      gone,
      result.exit,
      store.before,
      store.after,
      verdict,
    )
    for (const fault of faults) console.log(`  ${fault}`)
    if (faults.length > 0) failed++
  }
} finally {
  await suite.remove()
}
console.log(failed === 0 ? 'all held' : `${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
