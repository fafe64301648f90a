import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bootTiny, rejection, type TinyVm } from '../tiny-vm.js'

let tiny: TinyVm
let vm: TinyVm['vm']

beforeAll(async () => {
  tiny = await bootTiny()
  vm = tiny.vm
  await vm.$`mkdir -p /srv; echo served >/srv/index.html`
})
afterAll(() => tiny[Symbol.asyncDispose]())

describe('waitForPort', () => {
  test('resolves once something listens, and not before', async () => {
    let listening = false
    const waiting = vm.waitForPort(8081).then(() => listening)
    await vm.$`sleep 0.3`
    listening = true
    await vm.$`httpd -p 127.0.0.1:8081 -h /srv`
    expect(await waiting).toBe(true)
  })

  test('waits for the address that was asked for', async () => {
    await vm.$`httpd -p 127.0.0.1:8082 -h /srv`
    await vm.waitForPort(8082, { host: '127.0.0.1' })
    const error = await rejection(vm.waitForPort(8082, { host: '10.0.2.15', timeout: 2000 }))
    expect(error.code).toBe('TIMEOUT')
  })

  test('gives up in time, and tells what listens', async () => {
    await vm.$`httpd -p 8083 -h /srv`
    await vm.waitForPort(8083)
    const start = performance.now()
    const error = await rejection(vm.waitForPort(99, { timeout: 2000 }))
    expect(performance.now() - start).toBeLessThan(7000)
    expect(error.code).toBe('TIMEOUT')
    expect(error.message).toContain('port 99 within 2000 ms')
    expect(error.message).toMatch(/ports that do listen: .*8083/)
    expect(error.message).toContain('vm-states tiny guest ready')
  })

  test.each([
    ['port 0', () => vm.waitForPort(0)],
    ['port 70000', () => vm.waitForPort(70_000)],
    ['a host name', () => vm.waitForPort(80, { host: 'example.org' })],
    ['a negative time', () => vm.waitForPort(80, { timeout: -1 })],
  ])('refuses %s', async (_, call) => {
    expect((await rejection(call())).code).toBe('INVALID_VALUE')
  })
})

test('forwardPort to a host port in use is an error', async () => {
  const { port } = await vm.forwardPort(8085)
  const error = await rejection(vm.forwardPort(8086, port))
  expect(error.code).toBe('PORT_FORWARD_FAILED')
  expect(error.message).toContain(`port ${port} of the host cannot be forwarded`)
  expect(error.message).toContain('vm-states tiny guest ready')
})

test('forwardPort makes a service of the guest reachable from the host', async () => {
  await vm.$`httpd -p 8084 -h /srv`
  await vm.waitForPort(8084)
  await vm.$`until ip addr | grep -q 10.0.2.15; do sleep 0.1; done`
  const { host, port } = await vm.forwardPort(8084)
  expect(host).toBe('127.0.0.1')
  const response = await fetch(`http://${host}:${port}/index.html`)
  expect(await response.text()).toBe('served\n')
})
