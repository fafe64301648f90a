import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Vm } from '../../../../src/guest/vm.js'
import { bootDebian, DEBIAN_TIMEOUT, type DebianVm } from '../../../support/debian/boot.js'
import { rejection } from '../../tiny-vm.js'

/** Milliseconds: on a busy host the guest takes minutes to boot. */
const MINUTES = 1_200_000

let debian: DebianVm | undefined
let vm: Vm

beforeAll(async () => {
  debian = await bootDebian()
  vm = debian.vm
  await vm.$`useradd --create-home --shell /bin/bash alice; echo alice:secret | chpasswd`
}, DEBIAN_TIMEOUT)
afterAll(() => debian?.[Symbol.asyncDispose]())

test(
  'a user logs in by name and password, and who may not is told why',
  async () => {
    await vm.console.waitFor(/debian login: $/)
    const unnamed = await rejection(vm.console.login())
    expect(unnamed.code).toBe('GUEST_LOGIN_FAILED')
    expect(unnamed.message).toContain('it asks for a user, and none was given')
    const wrong = await rejection(vm.console.login({ user: 'alice', password: 'mistaken' }))
    expect(wrong.code).toBe('GUEST_LOGIN_FAILED')
    expect(wrong.message).toContain('it refuses alice: Login incorrect')
    expect(wrong.message).not.toContain('mistaken')

    await vm.$`(for i in $(seq 12); do sleep 0.5; echo spoken >/dev/ttyS0; done) >/dev/null 2>&1 &`
    const disturbed = await rejection(vm.console.login({ user: 'alice', password: 'mistaken' }))
    expect(disturbed.message).toContain('it refuses alice: Login incorrect')

    await vm.console.login({ user: 'alice', password: 'secret' })
    expect(await vm.console.run('id -un; pwd')).toMatchObject({ stdout: 'alice\n/home/alice' })
    expect(await vm.console.transcript()).not.toContain('secret')

    const other = await rejection(vm.console.login({ user: 'root' }))
    expect(other.code).toBe('GUEST_LOGIN_FAILED')
    expect(other.message).toContain('it has a shell of alice already, and none of root')
    await vm.console.sendLine('exit')
    await vm.console.login({ user: 'root' })
    expect(await vm.console.run('id -un')).toMatchObject({ stdout: 'root' })
  },
  MINUTES,
)

test(
  'long output comes back exactly, and a command is killed in time',
  async () => {
    await vm.console.login({ user: 'root' })
    const { stdout } = await vm.console.run('seq 40000')
    expect(stdout).toBe(Array.from({ length: 40_000 }, (_, index) => index + 1).join('\n'))
    const error = await rejection(vm.console.run('sleep 1000', { timeout: 3000 }))
    expect(error).toMatchObject({ name: 'CommandError', code: 'TIMEOUT' })
    expect(await vm.console.run('ps -C sleep -o args=; true')).toMatchObject({
      stdout: expect.not.stringContaining('1000'),
    })
  },
  MINUTES,
)

test(
  'a guest that boots meanwhile has lost its shell, and is logged in again',
  async () => {
    await vm.console.login({ user: 'root' })
    const running = rejection(vm.console.run('sleep 1000'))
    await vm.waitForFile('/proc/1/comm')
    await vm.reset()
    expect((await running).code).toBe('GUEST_CONSOLE_LOST')
    expect((await running).message).toContain('there is a login prompt instead')
    expect(await vm.console.run('id -un')).toMatchObject({ stdout: 'root' })
  },
  MINUTES,
)
