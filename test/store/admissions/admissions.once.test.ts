import { readdir, readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { LedgerEntry } from '../../../src/store/admissions/entry.js'
import type { Store } from '../../../src/store/store.js'
import { type CompiledWorker, compileWorker } from '../support/compile.js'
import { addObject, scratchStore } from '../support/scratch-store.js'
import { inOwnPidNamespace, WorkerProcess } from '../support/worker-process.js'

let worker: CompiledWorker
beforeAll(async () => {
  worker = await compileWorker()
})
afterAll(() => worker.remove())

const request = { units: 1, machines: 1, label: 'debian/nginx', limits: { units: 4 } }

/** Awaits that so many wait in line. */
async function untilWaiting(store: Store, count: number): Promise<void> {
  const waiting = () => store.admissions.list().filter(({ state }) => state === 'waiting')
  await vi.waitUntil(() => waiting().length === count, { timeout: 10_000, interval: 5 })
}

test('what fits is admitted at once, all of it or nothing, and free again when it is released', async () => {
  const store = await scratchStore()
  const first = await store.admissions.admit({ ...request, units: 3, machines: 2 })
  expect(store.admissions.list()).toMatchObject([
    { state: 'held', units: 3, machines: 2, label: 'debian/nginx', pid: process.pid },
  ])
  expect(await store.admissions.tryAdmit({ ...request, units: 2 })).toBeUndefined()
  const limits = { units: 4, machines: 2 }
  expect(await store.admissions.tryAdmit({ ...request, limits })).toBeUndefined()
  const second = await store.admissions.tryAdmit(request)
  expect(second).toMatchObject({ units: 1, machines: 1 })
  await first.release()
  await second?.release()
  await second?.release()
  expect(store.admissions.list()).toEqual([])
  await store.admissions.admit({ ...request, units: 4 })
})

test('processes that race, and are killed at any moment, never hold more than the limit', async () => {
  const store = await scratchStore()
  await store.admissions.admit(request).then((admission) => admission.release())
  const limit = 4
  let killed = 0
  const lanes = Array.from({ length: 6 }, async () => {
    while (killed < 6) {
      await using racer = new WorkerProcess(worker.program, store.root)
      await racer.call('raceForUnits', limit, 12, 0.04).catch((error) => {
        if (racer.running) throw error
        killed += 1
      })
    }
  })
  await Promise.all(lanes)
  const holds = (await readFile(`${store.root}.holds`, 'utf8')).trim().split('\n')
  const ended = new Set(holds.flatMap((line) => (line.startsWith('-') ? line.split(' ')[1] : [])))
  const now = new Map<string, number>()
  for (const [sign, id = '', units] of holds.map((line) => line.split(' '))) {
    if (sign === '+') now.set(id, Number(units))
    const sum = [...now.values()].reduce((total, held) => total + held, 0)
    expect(sum).toBeLessThanOrEqual(limit)
    expect(now.size).toBeLessThanOrEqual(3)
    // One that was killed may have ended at any moment from here on.
    if (sign === '-' || !ended.has(id)) now.delete(id)
  }
  expect(holds.length).toBeGreaterThan(50)
  await store.admissions.admit({ ...request, units: limit })
  expect(store.admissions.list().filter(({ state }) => state === 'waiting')).toEqual([])
})

test('first come, first served: small requests do not overtake a large one', async () => {
  const store = await scratchStore()
  const held = [await store.admissions.admit({ ...request, units: 2 })]
  held.push(await store.admissions.admit({ ...request, units: 2 }))
  await using large = new WorkerProcess(worker.program, store.root)
  const admitted = large.call('admit', 4, 4)
  await untilWaiting(store, 1)
  await using small = new WorkerProcess(worker.program, store.root)
  const later = small.call('admit', 1, 4)
  await untilWaiting(store, 2)
  await held[0]?.release()
  expect(await store.admissions.tryAdmit(request)).toBeUndefined()
  const released = performance.now()
  await held[1]?.release()
  const id = await admitted
  expect(performance.now() - released).toBeLessThan(2000)
  expect(store.admissions.list().map(({ state }) => state)).toEqual(['held', 'waiting'])
  await large.call('giveBack', id)
  await later
})

test('who waits is told who holds what, and can give up', async () => {
  const store = await scratchStore()
  await using other = new WorkerProcess(worker.program, store.root)
  await other.call('admit', 4, 4)
  const gaveUp = new AbortController()
  const told: (readonly LedgerEntry[])[] = []
  const onWait = (held: readonly LedgerEntry[]) => {
    told.push(held)
    gaveUp.abort()
  }
  const wait = store.admissions.admit(request, { signal: gaveUp.signal, onWait })
  await expect(wait).rejects.toMatchObject({ code: 'ABORTED' })
  expect(told).toMatchObject([
    [{ units: 4, label: 'test', pid: other.pid, program: expect.stringContaining('worker') }],
  ])
  expect(store.admissions.list()).toHaveLength(1)
})

test.for([
  ['the same PID namespace', [], 2000],
  ['another PID namespace', inOwnPidNamespace, 15_000],
] as const)('killed in %s, holders and waiters make room', async ([, prefix, timeout]) => {
  const store = await scratchStore()
  await using holder = new WorkerProcess(worker.program, store.root, prefix)
  await using waiter = new WorkerProcess(worker.program, store.root, prefix)
  await holder.call('admit', 4, 4)
  void waiter.call('admit', 4, 4).catch(() => {})
  await untilWaiting(store, 1)
  const admitted = store.admissions.admit(request, { signal: AbortSignal.timeout(timeout) })
  await untilWaiting(store, 2)
  await Promise.all([holder.kill(), waiter.kill()])
  await admitted
  expect(store.admissions.list()).toMatchObject([{ pid: process.pid }])
})

test('a reap removes what killed processes held, and no other', async () => {
  const store = await scratchStore()
  await store.admissions.admit(request)
  await using other = new WorkerProcess(worker.program, store.root)
  await other.call('admit', 1, 4)
  await store.reap()
  expect(store.admissions.list()).toHaveLength(2)
  await other.kill()
  await store.reap()
  expect(store.admissions.list()).toMatchObject([{ pid: process.pid }])
})

test('when all who hold wait for more, the first of them goes ahead, and the others after it', async () => {
  const store = await scratchStore()
  await using first = new WorkerProcess(worker.program, store.root)
  await using second = new WorkerProcess(worker.program, store.root)
  await using third = new WorkerProcess(worker.program, store.root)
  const held = await first.call('admit', 2, 4)
  const heldToo = await second.call('admit', 2, 4)
  const without = third.call('admit', 4, 4)
  await untilWaiting(store, 1)
  const more = first.call('admit', 2, 4, [held])
  await untilWaiting(store, 2)
  const moreToo = second.call('admit', 2, 4, [heldToo])
  const granted = await more
  await untilWaiting(store, 2)
  await first.call('giveBack', granted)
  await first.call('giveBack', held)
  await second.call('giveBack', await moreToo)
  await second.call('giveBack', heldToo)
  await without
})

test('a request that is larger than its limit is admitted when nothing else is held', async () => {
  const store = await scratchStore()
  const small = await store.admissions.admit(request)
  const large = store.admissions.admit({ ...request, units: 5 })
  await untilWaiting(store, 1)
  await small.release()
  expect(await large).toMatchObject({ units: 5 })
})

test('each process judges by its own limit', async () => {
  const store = await scratchStore()
  await store.admissions.admit({ ...request, units: 4 })
  expect(await store.admissions.tryAdmit(request)).toBeUndefined()
  const roomier = { ...request, limits: { units: 5 } }
  expect(await store.admissions.tryAdmit(roomier)).toMatchObject({ units: 1 })
})

test('a store of an earlier version, without a ledger, gets one', async () => {
  const store = await scratchStore()
  await addObject(store)
  expect(await readdir(store.root)).not.toContain('admissions')
  expect(store.admissions.list()).toEqual([])
  await store.admissions.admit(request)
  expect(store.admissions.list()).toHaveLength(1)
})
