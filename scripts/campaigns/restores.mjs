// node scripts/campaigns/restores.mjs [RESTORES]
//
// Restores a live state for each test of one run, 500 by default, and ends with 1 if anything leaks:
// while it runs, descriptors and memory of the worker, and processes; afterwards processes, and files
// in the store, in the directory for temporary files and in memory.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Suite } from './restores/suite.mjs'

const restores = Number(process.argv[2] ?? 500)

const MIB = 2 ** 20
/** A test's machine, one that stands by, and what QEMU 7.2 forks to read device state. */
const MOST_MACHINES = 3
/** Bytes that a worker may grow by from a quarter of the run to its end: its caches and test results. */
const MOST_GROWTH = 24 * MIB
const LOOK_EVERY = 50

const suite = await Suite.create()
const { directory } = suite.project

/** Files of the project and the store, but what a run of Vitest writes anew each time. */
function files() {
  const all = readdirSync(directory, { recursive: true, withFileTypes: true })
  return all
    .map(({ parentPath, name }) => join(parentPath, name).slice(directory.length + 1))
    .filter((path) => !path.startsWith('node_modules/'))
    .sort()
}

const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
const faults = []
const expectAtMost = (what, found, most) => {
  console.log(`${what}: ${found} (at most ${most})`)
  if (found > most) faults.push(what)
}

try {
  // Builds the state, and makes what is made once.
  await suite.run(20)
  const before = files()

  let most = 0
  const look = setInterval(() => {
    most = Math.max(most, suite.project.machines().filter(isQemu).length)
  }, LOOK_EVERY)
  const { samples, milliseconds } = await suite.run(restores)
  clearInterval(look)
  console.log(`${restores} restores, ${(milliseconds / restores).toFixed(1)} ms a test`)

  const half = Math.floor(samples.length / 2)
  const of = (what, from, to) => median(samples.slice(from, to).map((sample) => sample[what]))
  const growth = (what) => of(what, -5) - of(what, Math.floor(half / 2), half)
  expectAtMost('machines at once', most, MOST_MACHINES)
  expectAtMost('descriptors that the worker has more', growth('descriptors'), 2)
  expectAtMost('bytes of memory that it has more', growth('rss'), MOST_GROWTH)
  expectAtMost('bytes of its heap that it has more', growth('heapUsed'), MOST_GROWTH)

  const left = suite.project.processes()
  expectAtMost('processes left', left.length, 0)
  for (const line of left) console.log(`  ${line}`)
  const more = files().filter((path) => !before.includes(path))
  expectAtMost('files left', more.length, 0)
  for (const path of more) console.log(`  ${path}`)
  const inMemory = readdirSync('/dev/shm').filter((name) => name.startsWith('vm-states-'))
  expectAtMost('files left in memory', inMemory.length, 0)
} finally {
  await suite.project.remove()
}
if (faults.length > 0) throw new Error(`leaks: ${faults.join(', ')}`)

function isQemu(pid) {
  try {
    return /qemu-system/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')[0])
  } catch {
    return false
  }
}
