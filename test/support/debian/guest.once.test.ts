import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Vm } from '../../../src/guest/vm.js'
import { bootDebian, DEBIAN_TIMEOUT, type DebianVm } from './boot.js'

let debian: DebianVm | undefined
let vm: Vm

beforeAll(async () => {
  debian = await bootDebian()
  vm = debian.vm
}, DEBIAN_TIMEOUT)
afterAll(() => debian?.[Symbol.asyncDispose]())

const output = async (command: string) => (await vm.exec('sh', ['-c', command])).stdout.trim()

describe('the Debian guest', () => {
  it('is handed out when all that it starts by itself runs, and nothing has failed', async () => {
    expect(await output('systemctl is-system-running')).toBe('running')
    expect(await output('. /etc/os-release; echo $ID $VERSION_ID')).toBe('debian 12')
  })

  it('has an address and a default route from then on', async () => {
    expect(await output('ip -4 -brief address show scope global')).toMatch(/ UP +10\.0\.2\.15\/24/)
    expect(await output('ip route show default')).toContain('via 10.0.2.2')
  })

  it('answers ssh', async () => {
    const forward = await debian?.process.forwardPort(22)
    const socket = connect({ port: forward?.hostPort ?? 0, host: '127.0.0.1' })
    const [greeting] = await once(socket, 'data')
    socket.destroy()
    expect(String(greeting)).toMatch(/^SSH-2\.0-OpenSSH/)
  })

  it('has cloud-init, which rests without a seed', async () => {
    expect(await output('command -v cloud-init; ls -d /run/cloud-init/disabled')).toBe(
      '/usr/bin/cloud-init\n/run/cloud-init/disabled',
    )
    expect(await output('systemctl is-active cloud-init.target || true')).toBe('inactive')
  })

  it('has perl, curl and the kernel driver of vmgenid, and files that belong to whom they should', async () => {
    expect(await output('perl -e "print 6 * 7"')).toBe('42')
    expect(await output('curl --version')).toContain('curl')
    expect(await output('grep VMGENID= /boot/config-$(uname -r)')).toBe('CONFIG_VMGENID=y')
    expect(await output('stat -c %U:%G:%a / /etc/shadow /usr/bin/su')).toBe(
      'root:root:755\nroot:shadow:640\nroot:root:4755',
    )
  })

  it('has its services started and stopped by systemd', async () => {
    const ssh = vm.service('ssh')
    expect(await ssh.status()).toBe('running')
    await ssh.stop()
    expect(await ssh.status()).toBe('stopped')
    await ssh.start()
    await ssh.waitUntilRunning()
    await vm.$`systemd-run --unit broken --property=Type=oneshot false || true`
    const failed = vm.service('broken').waitUntilRunning()
    await expect(failed).rejects.toMatchObject({ code: 'GUEST_SERVICE_FAILED' })
    await vm.$`systemctl reset-failed`
    await expect(vm.service('none').status()).rejects.toMatchObject({
      code: 'GUEST_SERVICE_MISSING',
    })
  })

  it('tells its name and address, and is the same after a reboot', async () => {
    const name = await vm.hostname()
    expect(await output('hostname')).toBe(name)
    expect(await vm.ip()).toBe('10.0.2.15')
    const boot = () => output('cat /proc/sys/kernel/random/boot_id')
    const before = await boot()
    await vm.reboot({ timeout: 600_000 })
    expect(await boot()).not.toBe(before)
    expect(await vm.hostname()).toBe(name)
    expect(await vm.ip()).toBe('10.0.2.15')
  }, 700_000)
})
