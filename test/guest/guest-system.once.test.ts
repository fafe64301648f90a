import { afterAll, beforeAll, expect, test } from 'vitest'
import { bootTiny, rejection, type TinyVm } from './tiny-vm.js'

let tiny: TinyVm

beforeAll(async () => {
  tiny = await bootTiny()
})
afterAll(() => tiny[Symbol.asyncDispose]())

test('files are seen, and waited for', async () => {
  const { vm } = tiny
  expect(await vm.exists('/etc')).toBe(true)
  expect(await vm.exists('/tmp/new one')).toBe(false)
  const waiting = vm.waitForFile('/tmp/new one')
  await vm.$`ln -s /nowhere ${'/tmp/new one'}`
  await waiting
  expect(await vm.exists('/tmp/new one')).toBe(true)
  const error = await rejection(vm.waitForFile('/tmp/never', { timeout: 3000 }))
  expect(error).toMatchObject({ code: 'TIMEOUT' })
  expect(error.message).toContain('there was no /tmp/never in the guest within 3000 ms')
  const signal = AbortSignal.timeout(200)
  expect(await rejection(vm.waitForFile('/tmp/never', { signal }))).toMatchObject({
    code: 'ABORTED',
  })
  expect(await rejection(vm.exists('etc'))).toMatchObject({ code: 'INVALID_VALUE' })
})

test('a guest tells its name and its address, which is waited for', async () => {
  const { vm } = tiny
  expect(await vm.hostname()).toBe((await vm.$`hostname`).stdout)
  expect(await vm.ip()).toBe('10.0.2.15')
  await vm.$`ip addr flush dev eth0`
  const error = await rejection(vm.ip({ timeout: 3000 }))
  expect(error).toMatchObject({ code: 'TIMEOUT' })
  expect(error.message).toContain('its network cards: lo, eth0')
  const waiting = vm.ip()
  await vm.$`ip addr add 10.0.2.77/24 dev eth0`
  expect(await waiting).toBe('10.0.2.77')
})

test('an address with a label is one of its card', async () => {
  const { vm } = tiny
  await vm.$`ip addr add 10.0.2.99/24 dev eth0 label eth0:1; httpd -p 80 -h /srv`
  await vm.waitForPort(80, { host: '10.0.2.99', timeout: 20_000 })
})

test('the clock is set', async () => {
  const { vm } = tiny
  await vm.setTime(new Date('2031-05-06T07:08:09Z'))
  expect((await vm.$`date -u +%Y-%m-%dT%H:%M`).stdout).toBe('2031-05-06T07:08')
  await vm.setTime(new Date())
  expect(await rejection(vm.setTime(new Date('never')))).toMatchObject({ code: 'INVALID_VALUE' })
})

test('filesystems that are frozen refuse commands until they thaw', async () => {
  const { vm } = tiny
  const count = await vm.freeze()
  expect(count).toBeGreaterThan(0)
  expect(await rejection(vm.exec('true'))).toMatchObject({ code: 'GUEST_AGENT_REFUSED' })
  expect(await vm.thaw()).toBe(count)
  await vm.writeFile('/root/after', 'thaw')
})

test('a guest that reboots is ready again, as another boot on the same disk', async () => {
  const { vm } = tiny
  const boot = async () => (await vm.readFile('/proc/sys/kernel/random/boot_id')).trim()
  const before = await boot()
  await vm.writeFile('/root/kept', 'over the reboot')
  await vm.reboot()
  expect(await boot()).not.toBe(before)
  expect(await vm.readFile('/root/kept')).toBe('over the reboot')
})

test('a guest that does not reboot is an error within the deadline', async () => {
  const { vm } = tiny
  const path = (await vm.$`readlink -f $(which shutdown)`).stdout
  await vm.$`mv ${path} /root/shutdown; printf '#!/bin/sh\nexec sleep 30\n' >${path}; chmod +x ${path}`
  const start = performance.now()
  const error = await rejection(vm.reboot({ timeout: 1500 }))
  expect(error).toMatchObject({ code: 'TIMEOUT' })
  expect(error.message).toContain('the guest did not reboot within 1500 ms')
  expect(performance.now() - start).toBeLessThan(10_000)
})
