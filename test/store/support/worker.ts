import { spawn } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { open, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Admission } from '../../../src/store/admissions/admission.js'
import { exclusively } from '../../../src/store/lock/exclusively.js'
import type { Lock } from '../../../src/store/lock/lock.js'
import type { Draft } from '../../../src/store/objects/draft.js'
import { openStore } from '../../../src/store/store.js'

/** What a test process can be asked to do; each answers with JSON. */
export interface Actions {
  lock(name: string, timeout?: number): Promise<void>
  assertHeld(): Promise<void>
  release(): Promise<void>
  race(name: string, milliseconds: number, deadlyEvery: number): Promise<number>
  draft(): Promise<string>
  commit(): Promise<string>
  objects(): Promise<string[]>
  lease(id: string): Promise<void>
  admit(units: number, limit: number, holding?: readonly string[]): Promise<string>
  giveBack(id: string): Promise<void>
  count(rounds: number, isKilled: boolean): Promise<void>
  raceForUnits(limit: number, rounds: number, deadly: number): Promise<void>
  run(lifetime: 'process' | 'detached'): Promise<{ id: string; directory: string; pid: number }>
  reap(): Promise<{ runs: string[]; processes: number[]; drafts: number }>
  stall(milliseconds: number): Promise<void>
  fill(): Promise<string>
  free(): Promise<void>
}

const store = await openStore(process.argv[2] ?? '')
let lock: Lock | undefined
let draft: Draft | undefined
const admissions = new Map<string, Admission>()

// The kernel's own word on who is inside: an abstract socket has one owner, and ends with it.
function enter(name: string): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(`\0${store.root}/${name}`, () => {
      resolve(() => new Promise((left) => server.close(() => left())))
    })
  })
}

async function race(name: string, milliseconds: number, deadlyEvery: number): Promise<number> {
  const end = performance.now() + milliseconds
  if (deadlyEvery > 0) {
    const life = Math.random() * deadlyEvery * 2
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), life)
  }
  let count = 0
  while (performance.now() < end) {
    await using held = await store.lock(name)
    const leave = await enter(name).catch((error: Error) => {
      process.stdout.write(`${JSON.stringify({ overlap: error.message })}\n`)
      return () => Promise.resolve()
    })
    await sleep(Math.random() * 4)
    if (deadlyEvery > 0 && Math.random() < 0.05) process.kill(process.pid, 'SIGKILL')
    await held.assertHeld()
    await leave()
    count += 1
    process.stdout.write(`${JSON.stringify({ acquired: true })}\n`)
  }
  return count
}

function stallFor(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

function holdingOf(ids: readonly string[]): Admission[] {
  return ids.map((id) => admissions.get(id)).filter((admission) => admission !== undefined)
}

/** Writes each hold down: after it began, and before it ends, so never longer than it was. */
async function raceForUnits(limit: number, rounds: number, deadly: number): Promise<void> {
  const log = (sign: '+' | '-', id: string, units: number) =>
    appendFileSync(`${store.root}.holds`, `${sign} ${id} ${units}\n`)
  for (let round = 0; round < rounds; round++) {
    const units = 1 + Math.floor(Math.random() * limit)
    const request = { units, machines: 1, label: 'race', limits: { units: limit, machines: 3 } }
    const admission = await store.admissions.admit(request)
    log('+', admission.id, units)
    await sleep(Math.random() * 3)
    if (Math.random() < deadly) process.kill(process.pid, 'SIGKILL')
    log('-', admission.id, units)
    await admission.release()
    if (Math.random() < deadly) setTimeout(() => process.kill(process.pid, 'SIGKILL'), 3)
  }
}

const actions: Actions = {
  async lock(name, timeout) {
    lock = await store.lock(name, { timeout })
  },
  async assertHeld() {
    await lock?.assertHeld()
  },
  async release() {
    await lock?.release()
  },
  race,
  async draft() {
    draft = await store.objects.createDraft()
    await writeFile(join(draft.directory, 'disk'), 'half a disk')
    return draft.directory
  },
  async commit() {
    const object = await draft?.commit({ key: 'key' }, lock === undefined ? {} : { lock })
    return object?.id ?? ''
  },
  async objects() {
    return (await store.objects.list()).map(({ id }) => id)
  },
  async lease(id) {
    await store.lease(id)
  },
  async admit(units, limit, holding = []) {
    const limits = { units: limit }
    const request = { units, machines: 1, label: 'test', limits, holding: holdingOf(holding) }
    const admission = await store.admissions.admit(request)
    admissions.set(admission.id, admission)
    return admission.id
  },
  async giveBack(id) {
    await admissions.get(id)?.release()
  },
  raceForUnits,
  async count(rounds, isKilled) {
    const file = join(store.root, 'count')
    for (let round = 0; round < rounds; round++) {
      await exclusively(store.root, 'count-lock', () => {
        if (isKilled && round === rounds / 2) process.kill(process.pid, 'SIGKILL')
        const count = Number(readFileSync(file, 'utf8'))
        stallFor(1)
        writeFileSync(file, String(count + 1))
      })
    }
  },
  async run(lifetime) {
    const run = await store.runs.begin({ lifetime, label: 'test' })
    const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
    const pid = child.pid ?? 0
    await run.addProcess(pid)
    return { id: run.id, directory: run.directory, pid }
  },
  reap: () => store.reap(),
  async fill() {
    const file = await open(`${store.root}.filler`, 'w')
    try {
      for (;;) await file.write(Buffer.alloc(512, 1))
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? ''
    } finally {
      await file.close()
    }
  },
  async free() {
    await rm(`${store.root}.filler`)
  },
  async stall(milliseconds) {
    stallFor(milliseconds)
  },
}

async function answer(line: string): Promise<void> {
  const { action, args } = JSON.parse(line) as { action: keyof Actions; args: never[] }
  try {
    const call = actions[action] as (...args: never[]) => Promise<unknown>
    const result = (await call(...args)) ?? null
    process.stdout.write(`${JSON.stringify({ result })}\n`)
  } catch (error) {
    const { message, code } = error as Error & { code?: string }
    process.stdout.write(`${JSON.stringify({ error: message, code })}\n`)
  }
}

for await (const line of createInterface({ input: process.stdin })) await answer(line)
process.exit()
