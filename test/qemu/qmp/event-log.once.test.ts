import { expect, test } from 'vitest'
import { EventLog } from '../../../src/qemu/qmp/event-log.js'
import type { QmpEvent } from '../../../src/qemu/qmp/message.js'
import { launchBare } from '../machine/bare-machine.js'

async function logged() {
  const machine = await launchBare()
  const log = new EventLog(machine.qmp)
  const stop = () => machine.qmp.execute('stop')
  const cont = () => machine.qmp.execute('cont')
  return { machine, log, stop, cont }
}

test('events from before the call are given, each once, and others wait for theirs', async () => {
  const { log, stop, cont } = await logged()
  await stop()
  await cont()
  await stop()
  const [first, second] = [await log.waitFor(['STOP']), await log.waitFor(['STOP'])]
  expect(second.time).toBeGreaterThan(first.time)
  expect((await log.waitFor(['RESUME'])).time).toBeLessThan(second.time)
  const next = log.waitFor(['STOP', 'RESUME'], { timeout: 10_000 })
  await cont()
  expect(await next).toMatchObject({ name: 'RESUME' })
})

test('what has to match is a part of the data, or a function', async () => {
  const { machine, log } = await logged()
  const property = { path: '/machine', property: 'rtc-time' }
  expect(await machine.qmp.execute('qom-get', property)).toMatchObject({
    tm_year: expect.any(Number),
  })
  await machine.qmp.execute('system_reset')
  await expect(
    log.waitFor(['RESET'], { match: { reason: 'guest-panic' }, timeout: 200 }),
  ).rejects.toMatchObject({ code: 'TIMEOUT' })
  const match = { guest: false, reason: 'host-qmp-system-reset' }
  expect(await log.waitFor(['RESET'], { match, timeout: 5000 })).toMatchObject({ data: match })
  await machine.qmp.execute('system_reset')
  // The firmware resets the machine itself too.
  const isReset = ({ data }: QmpEvent) => data.guest === false
  expect(await log.waitFor(['RESET'], { match: isReset, timeout: 5000 })).toMatchObject({
    data: match,
  })
})

test('the deadline is for all of the waiting, and an event after it is still there', async () => {
  const { log, stop, cont } = await logged()
  let others = Promise.resolve<unknown>(undefined)
  const timer = setInterval(() => {
    others = others.then(stop).then(cont)
  }, 50)
  const start = performance.now()
  await expect(log.waitFor(['POWERDOWN'], { timeout: 400 })).rejects.toMatchObject({
    code: 'TIMEOUT',
  })
  clearInterval(timer)
  expect(performance.now() - start).toBeLessThan(2000)
  await others
  const controller = new AbortController()
  const waiting = log.waitFor(['SUSPEND'], { signal: controller.signal })
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' })
  expect(await log.waitFor(['STOP'], { timeout: 1000 })).toMatchObject({ name: 'STOP' })
})

test('the end of the machine ends what waits, and who reads all', async () => {
  const { machine, log, stop } = await logged()
  await stop()
  await log.waitFor(['STOP'])
  const waiting = log.waitFor(['RESUME'])
  const names: string[] = []
  const reading = (async () => {
    for await (const { name } of log) names.push(name)
  })()
  await machine.qmp.execute('quit')
  await expect(waiting).rejects.toMatchObject({ code: 'QMP_CONNECTION_LOST' })
  await reading
  expect(names).toEqual(['STOP', 'SHUTDOWN'])
})
