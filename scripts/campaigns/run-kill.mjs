// node scripts/campaigns/run-kill.mjs [ROUNDS] [SEED]
//
// Runs a suite of two workers on a chain of three states, and kills -9 Vitest, a worker or a QEMU at
// a random moment, or interrupts them all; every fourth round a `states` command instead. Half of
// the rounds begin with a store that has only the image. Each time nothing may run on after five
// seconds, what is in the store must be whole, and the next run must pass in the time of an
// undisturbed one and leave nothing behind. Ends with 1 if any of that failed; a round is repeated
// by its seed: ROUNDS 1.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createJiti } from 'jiti'
import { isQemu, isWorker, untilGone } from './run-kill/processes.mjs'
import { Suite, TESTS_IN_ALL } from './run-kill/suite.mjs'

const jiti = createJiti(import.meta.url)
const { brokenStates, leftInStore } = await jiti.import('../../test/support/store-faults.ts')

const rounds = Number(process.argv[2] ?? 40)
const firstSeed = Number(process.argv[3] ?? Date.now() % 1_000_000)

const GONE_WITHIN = 5000
const STUCK_AFTER = 180_000
/** A run takes this many times as long as an undisturbed one at most, and these milliseconds. */
const PATIENCE = { times: 2, more: 4000 }
const VICTIMS = ['main', 'worker', 'qemu', 'interrupt']
/**
 * Commands on the configuration's states, and on an image that has the state `clean`. IMAGE is the size
 * of a store that has only the image, so that a collection removes every state.
 */
const COMMANDS = [
  ['get', 'tiny/page', '--output', 'out.qcow2'],
  ['unset', 'tiny/base', '--with-children'],
  ['build', 'tiny/page'],
  ['gc', '--max-size', 'IMAGE'],
  ['set', 'disk.qcow2', 'next', '--backend', 'external'],
  ['unset', 'disk.qcow2', 'clean', '--backend', 'external'],
  ['set', 'disk.qcow2', 'next', '--backend', 'internal'],
  ['unset', 'disk.qcow2', 'clean', '--backend', 'internal'],
]
/** Vitest's own directory, which a kill leaves behind. */
const OF_VITEST = /^[\w-]{21}$/

/** Random numbers from a seed: mulberry32. */
function randomFrom(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`
const within = (promise, milliseconds) => Promise.race([promise, sleep(milliseconds)])

const suite = await Suite.create()
const pristine = suite.path('store-with-image')
cpSync(suite.store, pristine, { recursive: true })

function emptyStore() {
  rmSync(suite.store, { recursive: true })
  cpSync(pristine, suite.store, { recursive: true })
}

/** Waits for the run after; gives how long it took and what is wrong with it. */
async function judge(run, store) {
  const end = await within(run.ended, STUCK_AFTER)
  if (end === undefined) {
    const consoles = suite.consoles()
    for (const { pid } of suite.processes()) process.kill(pid, 'SIGKILL')
    const text = `the next run took over ${seconds(STUCK_AFTER)}: ${run.output()}`
    return { wrong: [text, ...consoles], milliseconds: STUCK_AFTER }
  }
  const passed = suite.passed() === TESTS_IN_ALL && end.code === 0
  const wrong = passed ? [] : [`the next run ended with ${end.code}: ${run.output()}`]
  const { milliseconds } = end
  if (milliseconds > longest(normal[store])) {
    // On a host that others have begun to use, an undisturbed run takes longer too.
    if (store === 'empty') emptyStore()
    const undisturbed = await suite.startTests().ended
    if (milliseconds > longest(undisturbed.milliseconds)) {
      wrong.push(`the next run took ${seconds(milliseconds)}, ${run.output()}`)
    }
  }
  return { wrong, milliseconds }
}

function longest(usual) {
  return usual * PATIENCE.times + PATIENCE.more
}

/** The process to kill, as soon as there is one; undefined if the run ended before. */
async function findVictim(kind, run, random) {
  const { pid } = run.child
  if (kind === 'main' || kind === 'interrupt') return { pid }
  const isOne = kind === 'qemu' ? isQemu : isWorker
  while (run.child.exitCode === null && run.child.signalCode === null) {
    const found = suite.processes().filter(isOne)
    if (found.length > 0) return found[Math.floor(random() * found.length)]
    await sleep(20)
  }
  return undefined
}

/** Kills something of a run of the suite; gives what it was, and what is wrong afterwards. */
async function killRun(kind, usual, random) {
  const run = suite.startTests()
  await sleep(random() * usual * 0.9)
  const victim = await findVictim(kind, run, random)
  if (victim === undefined || run.child.exitCode !== null) return undefined
  const machines = suite.processes().filter(({ parent }) => parent === victim.pid)
  const doomed = new Set([victim.pid, ...machines.filter(isQemu).map(({ pid }) => pid)])
  const all = kind === 'main' || kind === 'interrupt'
  if (kind === 'interrupt') process.kill(-victim.pid, 'SIGINT')
  else process.kill(victim.pid, 'SIGKILL')
  const killed = `${kind} after ${seconds(performance.now() - run.startedAt)}`
  const mayNotRun = () => suite.processes().filter(({ pid }) => all || doomed.has(pid))
  const faults = await endings('still runs', mayNotRun)
  if (all) return { killed, faults }
  const end = await within(run.ended, longest(usual))
  if (end === undefined) run.child.kill('SIGKILL')
  faults.push(...(await endings('runs on without Vitest', () => suite.processes())))
  return { killed: end === undefined ? `${killed}, Vitest hung` : killed, faults }
}

/** Tells, and ends, what still runs after a while. */
async function endings(what, find) {
  const left = await untilGone(find, GONE_WITHIN)
  return left.map(({ pid, command }) => {
    process.kill(pid, 'SIGKILL')
    return `${what}: ${pid} ${command.slice(0, 200)}`
  })
}

/** A fresh image that has the state `clean`. */
async function makeImage(backend) {
  for (const name of readdirSync(suite.project.directory)) {
    if (name.startsWith('disk')) rmSync(suite.path(name), { recursive: true })
  }
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', suite.path('disk.qcow2'), '64M'])
  await suite.startStates('set', 'disk.qcow2', 'clean', '--backend', backend).ended
}

/** Kills a `states` command; the next one of the same words must work. */
async function killCommand(words, random) {
  const args = words.map((word) => (word === 'IMAGE' ? imageSize : word))
  const isImage = args[1] === 'disk.qcow2'
  if (isImage) await makeImage(args.at(-1))
  const command = suite.startStates(...args)
  const usual = isImage ? normal.set : normal[args[0]]
  await sleep(random() * usual)
  if (command.child.exitCode !== null) return undefined
  command.child.kill('SIGKILL')
  const killed = `states ${args[0]} after ${seconds(performance.now() - command.startedAt)}`
  const faults = await endings('still runs', () => suite.processes())
  faults.push(...(await brokenStates(suite.store)))
  rmSync(suite.path('out.qcow2'), { force: true })
  const again = suite.startStates(...args)
  const { code } = await again.ended
  const isDone = code === 0 || (code === 1 && args[0] === 'unset')
  if (!isDone) faults.push(`states ${args.join(' ')} ended with ${code}: ${again.output()}`)
  if (isImage) faults.push(...checkImage())
  rmSync(suite.path('out.qcow2'), { force: true })
  return { killed, faults }
}

function checkImage() {
  const args = ['check', '-f', 'qcow2', suite.path('disk.qcow2')]
  const { status, stderr } = spawnSync('qemu-img', args, { encoding: 'utf8' })
  return status === 0 ? [] : [`disk.qcow2: ${stderr}`]
}

const normal = {}
let imageSize = ''

async function calibrate() {
  const time = async (what, run) => {
    const { milliseconds, code } = await run.ended
    if (code !== 0) throw new Error(run.output())
    normal[what] = milliseconds
  }
  const look = suite.startStates('gc', '--dry-run', '--json')
  await look.ended
  const output = look.output()
  imageSize = String(JSON.parse(output.slice(output.indexOf('{'))).size)
  await time('empty', suite.startTests())
  await time('full', suite.startTests())
  await time('unset', suite.startStates('unset', 'tiny/base', '--with-children'))
  await time('build', suite.startStates('build', 'tiny/page'))
  await time('gc', suite.startStates('gc', '--max-size', imageSize))
  await time('get', suite.startStates('get', 'tiny/page', '--output', 'out.qcow2'))
  rmSync(suite.path('out.qcow2'))
  await makeImage('external')
  await time('set', suite.startStates('set', 'disk.qcow2', 'next', '--backend', 'external'))
  await suite.startTests().ended
  const times = Object.entries(normal).map(([what, time]) => `${what} ${seconds(time)}`)
  console.log(`undisturbed: ${times.join(', ')}`)
}

async function disturb(store, random) {
  for (;;) {
    if (store === 'empty') emptyStore()
    rmSync(suite.path('out.qcow2'), { force: true })
    const isCommand = random() < 0.25
    const pick = (list) => list[Math.floor(random() * list.length)]
    const result = isCommand
      ? await killCommand(pick(COMMANDS), random)
      : await killRun(pick(VICTIMS), normal[store], random)
    if (result !== undefined) return { ...result, isCommand }
  }
}

async function round(index, seed) {
  const random = randomFrom(seed)
  const store = random() < 0.5 ? 'empty' : 'full'
  const { killed, faults, isCommand } = await disturb(store, random)
  faults.push(...(await brokenStates(suite.store)))
  const waiting = (await leftInStore(suite.store)).length
  const next = await judge(suite.startTests(), isCommand ? 'empty' : store)
  faults.push(...next.wrong, ...(await brokenStates(suite.store)))
  faults.push(...(await leftInStore(suite.store)).map((path) => `left in the store: ${path}`))
  const temporary = readdirSync(suite.temporary).filter((name) => !OF_VITEST.test(name))
  faults.push(...temporary.map((name) => `left in TMPDIR: ${name}`))
  const hidden = readdirSync(suite.project.directory).filter((name) => name.startsWith('.'))
  faults.push(...hidden.map((name) => `left in the project: ${name}`))
  for (const name of readdirSync(suite.temporary))
    rmSync(join(suite.temporary, name), { recursive: true })
  for (const name of hidden) rmSync(suite.path(name), { recursive: true })
  const verdict = faults.length === 0 ? 'ok    ' : 'FAILED'
  console.log(
    `${verdict} ${index} seed ${seed}: ${store} store, killed ${killed}; ${waiting} files to reap; next run ${seconds(next.milliseconds)}`,
  )
  for (const fault of faults) console.log(`       ${fault}`)
  return { killed: killed.replace(/ after \S+ s/, ''), faults, ...next }
}

const results = []
try {
  await calibrate()
  for (let index = 1; index <= rounds; index++) {
    results.push(await round(index, firstSeed + index - 1))
  }
} finally {
  await suite.remove()
}
const counts = new Map()
for (const { killed } of results) counts.set(killed, (counts.get(killed) ?? 0) + 1)
const slowest = Math.max(...results.map(({ milliseconds }) => milliseconds))
const failed = results.filter(({ faults }) => faults.length > 0).length
console.log([...counts].map(([killed, count]) => `${killed} ${count}`).join(', '))
console.log(`${results.length} rounds, ${failed} failed; slowest next run ${seconds(slowest)}`)
process.exitCode = failed > 0 ? 1 : 0
