import { expect, onTestFinished, test, vi } from 'vitest'
import { Allowance, type Share } from '../../../src/states/admission/allowance.js'
import type { LimitsInForce } from '../../../src/states/admission/limits-in-force.js'
import { openStore, type Store } from '../../../src/store/store.js'
import { scratchStore } from '../../store/support/scratch-store.js'

const GiB = 2 ** 30
const limits: LimitsInForce = {
  memory: { value: 4 * GiB, from: 'VM_STATES_MAX_MEMORY' },
  machines: { value: 3, from: 'maxMachines of states.config.ts' },
}

function need(gib: number, machines = 1) {
  return { memory: gib * GiB, machines, label: 'debian/nginx' }
}

/** What another process would have. */
async function allowanceOf(store: Store, giveUp = () => Promise.resolve(false)) {
  const own = await openStore(store.root)
  onTestFinished(() => own.close())
  return new Allowance(own.admissions, {
    limits: () => Promise.resolve(limits),
    giveUp,
    allWait: () => false,
  })
}

async function untilWaiting(store: Store, count: number): Promise<void> {
  const waiting = () => store.admissions.list().filter(({ state }) => state === 'waiting')
  await vi.waitUntil(() => waiting().length === count, { timeout: 10_000, interval: 5 })
}

test('machines that could never run are refused, with the limit and where it comes from', async () => {
  const allowance = await allowanceOf(await scratchStore())
  await expect(allowance.take(need(5))).rejects.toMatchObject({
    code: 'MACHINE_TOO_LARGE',
    message: expect.stringContaining(
      'debian/nginx needs 5 GiB, 80 MiB of it for QEMU itself: more than the 4 GiB that machines may take (VM_STATES_MAX_MEMORY)',
    ),
  })
  await expect(allowance.take(need(1, 4))).rejects.toMatchObject({
    code: 'MACHINE_TOO_LARGE',
    message: expect.stringContaining(
      'debian/nginx needs 4 machines at once: more than the 3 that may run (maxMachines of states.config.ts)',
    ),
  })
})

test('what was reserved is there without waiting, and stays reserved until it ends', async () => {
  const store = await scratchStore()
  const [allowance, other] = [await allowanceOf(store), await allowanceOf(store)]
  await allowance.reserve(need(3))
  const waiting = other.take(need(2))
  await untilWaiting(store, 1)
  const share = await allowance.take(need(3))
  expect(share.isShared).toBe(false)
  await share.release()
  await share.release()
  const again = await allowance.take(need(3))
  await allowance.endReserve()
  await untilWaiting(store, 1)
  await again.release()
  expect((await waiting).isShared).toBe(true)
})

test('no more is reserved than the limits allow', async () => {
  const store = await scratchStore()
  await (await allowanceOf(store)).reserve(need(7, 9))
  expect(store.admissions.list()).toMatchObject([{ units: 4 * GiB, machines: 3 }])
})

test('who waits gets what its own process gives back, as well as what others do', async () => {
  const store = await scratchStore()
  const [allowance, other] = [await allowanceOf(store), await allowanceOf(store)]
  await other.take(need(2))
  await allowance.reserve(need(2))
  const first = await allowance.take(need(2))
  const second = allowance.take(need(2))
  await untilWaiting(store, 1)
  await first.release()
  expect((await second).isShared).toBe(false)
  expect(store.admissions.list()).toHaveLength(2)
})

test('machines that nobody needs are given up before a wait, and only then', async () => {
  const store = await scratchStore()
  const idle: Share[] = []
  const allowance = await allowanceOf(store, async () => {
    const share = idle.shift()
    await share?.release()
    return share !== undefined
  })
  idle.push(await allowance.take(need(1)), await allowance.take(need(2)))
  const fitting = await allowance.take(need(1))
  expect(idle).toHaveLength(2)
  await fitting.release()
  await allowance.take(need(2))
  expect(idle).toHaveLength(1)
  await allowance.reserve(need(2))
  expect(idle).toHaveLength(0)
})

test('processes that hold memory and ask for more do not wait for each other for ever', async () => {
  const store = await scratchStore()
  const [allowance, other] = [await allowanceOf(store), await allowanceOf(store)]
  const isStuck = () => true
  const held = [await allowance.take(need(2)), await other.take(need(2))]
  const first = allowance.take(need(2), { isStuck })
  await untilWaiting(store, 1)
  const second = other.take(need(2), { isStuck })
  await (await first).release()
  await held[0]?.release()
  await (await second).release()
})

test('a process that is stuck only after a while is no longer waited for from then on', async () => {
  const store = await scratchStore()
  const [allowance, other] = [await allowanceOf(store), await allowanceOf(store)]
  const held = await allowance.take(need(2))
  await other.take(need(2))
  let isStuck = false
  const first = allowance.take(need(2), { isStuck: () => isStuck })
  await untilWaiting(store, 1)
  const second = other.take(need(2), { isStuck: () => true })
  await untilWaiting(store, 2)
  isStuck = true
  await (await Promise.race([first, second])).release()
  await held.release()
  await Promise.all([first, second])
})

test('who holds memory and is not stuck keeps others waiting', async () => {
  const store = await scratchStore()
  const [allowance, other] = [await allowanceOf(store), await allowanceOf(store)]
  const busy = await allowance.take(need(2))
  await other.take(need(2))
  const gaveUp = new AbortController()
  const first = allowance.take(need(2), { isStuck: () => false, signal: gaveUp.signal })
  const second = other.take(need(2), { isStuck: () => true })
  await untilWaiting(store, 2)
  gaveUp.abort()
  await expect(first).rejects.toMatchObject({ code: 'ABORTED' })
  expect(store.admissions.list().map(({ state }) => state)).toEqual(['held', 'held', 'waiting'])
  await busy.release()
  await second
})
