import { access } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, expectTypeOf, onTestFinished, test } from 'vitest'
import type { Vm } from '../../src/guest/vm.js'
import { VmControl } from '../../src/guest/vm-control.js'
import { launchBare } from '../qemu/machine/bare-machine.js'
import { bootTiny, rejection, rewindTiny, type TinyVm } from './tiny-vm.js'

let tiny: TinyVm

beforeAll(async () => {
  tiny = await bootTiny()
  await tiny.process.qmp.humanMonitor('savevm booted')
})
afterAll(() => tiny[Symbol.asyncDispose]())

const rewound = () => rewindTiny(tiny, 'booted')

async function another(): Promise<TinyVm> {
  const booted = await bootTiny()
  onTestFinished(() => booted[Symbol.asyncDispose]())
  return booted
}

test('a handle is typed by its machine and the kind of its state', () => {
  const { vm } = new VmControl({ machine: 'debian', liveness: 'live' })
  expectTypeOf(vm).toEqualTypeOf<Vm<'debian', 'live'>>()
  expectTypeOf(vm).toExtend<Vm>()
  expectTypeOf(vm).not.toExtend<Vm<'debian', 'disk'>>()
  expectTypeOf(vm).not.toExtend<Vm<'alpine', 'live'>>()
  expect(vm).toMatchObject({ machine: 'debian', liveness: 'live', state: undefined })
})

test('a handle without a machine that runs says so', async () => {
  const { vm } = new VmControl({ machine: 'debian', liveness: 'live' })
  const error = await rejection(vm.exec('true'))
  expect(error).toMatchObject({ code: 'GUEST_GONE', shortMessage: 'debian is not running' })
})

describe('a guest without an agent', () => {
  test('is an error within its deadline that says what to install', async () => {
    const process = await launchBare()
    const control = new VmControl({ machine: 'bare', liveness: 'live' })
    control.attach(process)
    await expect.poll(() => control.vm.console.tail(), { timeout: 20_000 }).toContain('SeaBIOS')
    for (const call of [
      () => control.vm.ready({ timeout: 600 }),
      () => control.vm.exec('true', [], { timeout: 600 }),
      () => control.vm.shutdown({ timeout: 600 }),
      () => control.vm.waitForPort(80, { timeout: 600 }),
    ]) {
      const start = performance.now()
      const error = await rejection(call())
      expect(performance.now() - start).toBeLessThan(1600)
      expect(error.code).toBe('GUEST_AGENT_MISSING')
      expect(error.message).toContain('no guest agent answered within 600 ms')
      expect(error.message).toContain('apt-get install qemu-guest-agent')
      expect(error.message).toContain('SeaBIOS')
    }
  }, 40_000)

  test('is given up at once when the caller cancels', async () => {
    const control = new VmControl({ machine: 'bare', liveness: 'live' })
    control.attach(await launchBare())
    const controller = new AbortController()
    const waiting = rejection(control.vm.ready({ signal: controller.signal }))
    controller.abort()
    expect((await waiting).code).toBe('ABORTED')
  })

  test('that dies meanwhile is an error at once, with how QEMU ended', async () => {
    const machine = await launchBare()
    const control = new VmControl({ machine: 'bare', liveness: 'live' })
    control.attach(machine)
    const start = performance.now()
    const waiting = rejection(control.vm.ready())
    process.kill(machine.pid, 'SIGKILL')
    const error = await waiting
    expect(performance.now() - start).toBeLessThan(3000)
    expect(error.code).toBe('GUEST_GONE')
    expect(error.message).toContain('QEMU ended (signal SIGKILL)')
    expect((await rejection(control.vm.$`true`)).code).toBe('GUEST_GONE')
  })
})

describe('a handle that was released', () => {
  test('rejects every call, those under way too, and says why', async () => {
    const { control, vm } = await rewound()
    const running = rejection(vm.exec('sleep', ['1000']))
    await vm.exec('true')
    control.release('its test has ended')
    const calls = [
      running,
      rejection(vm.exec('true')),
      rejection(vm.$`true`),
      rejection(vm.readFile('/etc/passwd')),
      rejection(vm.writeFile('/etc/x', '')),
      rejection(vm.waitForPort(80)),
      rejection(vm.forwardPort(80)),
      rejection(vm.ready()),
      rejection(vm.shutdown()),
      rejection(vm.console.tail()),
    ]
    for (const error of await Promise.all(calls)) {
      expect(error.code).toBe('GUEST_RELEASED')
      expect(error.message).toContain('tiny can no longer be used: its test has ended')
    }
    expect(() => vm.console.path).toThrow('tiny can no longer be used')
  })
})

describe('a handle whose machine is restored', () => {
  test('goes on with the new process; what ran on the old one rejects', async () => {
    const { control, vm } = await rewound()
    const other = await another()
    await vm.writeFile('/root/which', 'first')
    await other.vm.writeFile('/root/which', 'second')
    const running = rejection(vm.exec('sleep', ['1000']))
    await vm.exec('true')
    other.control.detach()
    control.attach(other.process, 'restored')
    const error = await running
    expect(error.code).toBe('GUEST_RESTORED')
    expect(await vm.readFile('/root/which')).toBe('second')
    expect(vm.state).toBe('restored')
    expect(vm.console.path).toBe(other.process.consoleFile)
  }, 40_000)

  test('goes on after a rewind within its process, in the middle of whatever it did', async () => {
    const { control, vm, process } = await rewound()
    await vm.writeFile('/root/large', Buffer.alloc(3 * 2 ** 20))
    await process.qmp.humanMonitor('savevm point')
    const calls = [
      rejection(vm.exec('sleep', ['1000'])),
      rejection(vm.readFile('/root/large', 'buffer').then(() => vm.exec('sleep', ['1000']))),
    ]
    await vm.exec('touch', ['/root/after'])
    await process.qmp.humanMonitor('loadvm point')
    control.attach(process)
    for (const error of await Promise.all(calls)) expect(error.code).toBe('GUEST_RESTORED')
    expect((await vm.$`ls /root`).stdout).toBe('large')
    expect((await vm.exec('ps', ['-o', 'args'])).stdout).not.toContain('sleep 1000')
  }, 40_000)
})

describe('an agent', () => {
  test('that stops answering is an error, and the next call finds the thread again', async () => {
    const { vm, process } = await rewound()
    await vm.ready()
    await process.qmp.execute('stop')
    const late = rejection(vm.exec('true', [], { timeout: 500 }))
    const silent = rejection(vm.waitForPort(99, { timeout: 500 }))
    expect((await silent).code).toBe('GUEST_AGENT_SILENT')
    expect((await late).code).toBe('TIMEOUT')
    await process.qmp.execute('cont')
    expect((await vm.exec('echo', ['again'])).stdout).toBe('again')
    expect(await vm.readFile('/etc/hostname')).toBe('tiny\n')
  })

  test('that was left in the middle of requests and answers is understood', async () => {
    const { vm, process } = await rewound()
    process.agent.write('{"execute":"guest-ping"}\n{"execute":"guest-get-osinfo"}\n')
    process.agent.write('{"execute":"guest-exec","arguments":{"path":"touch","arg":["/root/hal')
    expect((await vm.exec('echo', ['mine'])).stdout).toBe('mine')
    expect((await vm.exec('ls', ['/root'])).stdout).toBe('')
  })

  test('that forbids commands is an error that says which and where to allow it', async () => {
    const { vm } = await rewound()
    await vm.$`sed -i 's/exec qemu-ga/& -b guest-exec/' /sbin/agent`
    // With nothing on the channel meanwhile: a port that is closed while data arrives may stay deaf
    // (QEMU 7.2, Linux 6.1; docs/decisions/054).
    await vm.$`{
      sleep 1
      killall qemu-ga
      until pidof qemu-ga; do sleep 0.1; done
      echo the agent is back >/dev/console
    } </dev/null >/dev/null 2>&1 &`
    await expect.poll(() => vm.console.tail(), { timeout: 20_000 }).toContain('the agent is back')
    await vm.ready({ timeout: 20_000 })
    const error = await rejection(vm.exec('true'))
    expect(error.code).toBe('GUEST_AGENT_REFUSED')
    expect(error.message).toMatch(/refused guest-exec: .*disabled/)
    expect(error.message).toContain('allow guest-exec')
    expect(await vm.readFile('/etc/hostname')).toBe('tiny\n')
  }, 40_000)
})

describe('shutdown', () => {
  test('resolves when the guest has powered itself off', async () => {
    const { vm, process } = await another()
    await vm.shutdown()
    expect(await process.exited).toMatchObject({ code: 0, shutdownReason: 'guest-shutdown' })
    const error = await rejection(vm.exec('true'))
    expect(error.code).toBe('GUEST_GONE')
    expect(error.message).toContain('exit code 0, guest-shutdown')
    await access(vm.console.path)
  })

  test('of a guest that does not is an error, and never a kill', async () => {
    const { vm, process } = await rewound()
    await vm.$`printf '#!/bin/sh\n' >/sbin/shutdown`
    // A kernel that was held up says so, in many lines.
    await vm.$`echo last words >/dev/console`
    const error = await rejection(vm.shutdown({ timeout: 1000 }))
    expect(error.code).toBe('GUEST_NOT_SHUT_DOWN')
    expect(error.message).toContain('did not power itself off within 1000 ms')
    expect(error.message.split('last words')).toHaveLength(2)
    expect(process.running).toBe(true)
    expect((await vm.exec('echo', ['alive'])).stdout).toBe('alive')
  })

  test('that the guest refuses is an error', async () => {
    const { vm } = await rewound()
    await vm.$`printf '#!/bin/sh\nexit 1\n' >/sbin/shutdown`
    expect((await rejection(vm.shutdown())).code).toBe('GUEST_AGENT_REFUSED')
  })
})

describe('a guest whose init system has not settled', () => {
  const settles = async (vm: Vm, path: string, script: string) => {
    await vm.$`mkdir -p ${path}`
    await vm.writeFile('/bin/systemctl', `#!/bin/sh\n${script}`, { mode: 0o755 })
  }

  test('is waited for, also by a systemd that cannot wait, and what failed counts as settled', async () => {
    const { vm } = await rewound()
    // As before version 240: an option that it does not know ends it without a word.
    const asked = '[ "$2" = --wait ] && exit 1; echo asked >> /tmp/asked'
    await settles(vm, '/run/systemd/system', `${asked}; cat /tmp/state; exit 1`)
    await vm.writeFile('/tmp/state', 'starting\n')
    const ready = vm.ready()
    await expect
      .poll(() => vm.$`cat /tmp/asked`.catch(() => ({ stdout: '' })), { timeout: 10_000 })
      .toMatchObject({ stdout: expect.stringContaining('asked\nasked') })
    await vm.writeFile('/tmp/state', 'degraded\n')
    await ready
  })

  test('is an error that names its jobs and what failed', async () => {
    const { vm } = await rewound()
    const script = `case $1 in
      list-jobs) echo '117 cloud-final.service start running'; echo '3 a.target start waiting' ;;
      list-units) echo 'b.service loaded failed failed B' ;;
      *) echo starting ;; esac`
    await settles(vm, '/run/systemd/system', script)
    const error = await rejection(vm.ready({ timeout: 1500 }))
    expect(error).toMatchObject({
      code: 'GUEST_NOT_READY',
      shortMessage:
        'the guest is not ready: its init system has not settled in time ' +
        '(cloud-final.service: start running, a.target: start waiting, b.service: failed)',
    })
    await settles(vm, '/run/systemd/system', 'echo maintenance')
    expect((await rejection(vm.ready())).message).toContain('systemd is in the state "maintenance"')
  })

  test('is waited for where OpenRC is on the way to a runlevel', async () => {
    const { vm } = await rewound()
    await vm.$`mkdir -p /run/openrc/starting/sshd /run/openrc/rc.starting; echo boot > /run/openrc/softlevel`
    const early = await rejection(vm.ready({ timeout: 500 }))
    expect(early.message).toContain('(runlevel boot, sshd: starting)')
    await vm.$`echo default > /run/openrc/softlevel`
    expect(await rejection(vm.ready({ timeout: 500 }))).toMatchObject({ code: 'GUEST_NOT_READY' })
    await vm.$`rmdir /run/openrc/rc.starting`
    await vm.ready()
  })
})
