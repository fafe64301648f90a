import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { GuestError } from '../../src/guest/guest-error.js'
import type { Vm } from '../../src/guest/vm.js'
import { FAULTY_GUESTS, useGuest } from './faulty-guests.js'
import { rejection } from './tiny-vm.js'

/** Milliseconds by which an error may be later than its deadline: what a silent guest gets to kill a command. */
const KILL_GRACE = { agent: 2000, ssh: 5000, console: 10_000 }
/** Milliseconds that a slow host takes for what takes none. */
const SLOWNESS = 5000

/** An error of a call, and how many milliseconds it took. */
async function failure(call: () => Promise<unknown>) {
  const start = performance.now()
  const error = (await rejection(call())) as GuestError
  return { error, took: performance.now() - start }
}

/** A process that the kernel prefers to all others, for ever, on the only CPU: sched_setscheduler(2). */
const HOG = ['-e', 'syscall 144, 0, 1, my $first = pack "l", 99; 1 while 1']

/** How many ports of the host lead to the guest. */
async function forwards(vm: Vm): Promise<number> {
  const text = await vm.qmp('human-monitor-command', { 'command-line': 'info usernet' })
  return String(text).split('HOST_FORWARD').length - 1
}

/** Whether something in the guest has the agent's port open. */
async function hasAgent(vm: Vm): Promise<boolean | undefined> {
  const ports = (await vm.qmp('query-chardev')) as { label: string; 'frontend-open': boolean }[]
  return ports.find(({ label }) => label === 'agent')?.['frontend-open']
}

/** A script after whose end another goes on, and waits until what is to be broken is under way. */
const soon = (script: string) => `(sleep 0.5; ${script}) </dev/null >/dev/null 2>&1 &`

const GUESTS = ['tiny', 'debian'] as const

const noSpace = 'No space left on device'

describe.each([
  { name: 'tiny', channel: 'agent' },
  { name: 'tiny', channel: 'ssh' },
  { name: 'debian', channel: 'agent' },
  { name: 'debian', channel: 'ssh' },
] as const)('over $channel, a $name guest', ({ name, channel }) => {
  const { booted: BOOTED } = FAULTY_GUESTS[name]
  const open = useGuest(name, channel)
  let vm: Vm
  beforeEach(() => {
    vm = open()
  })

  test('that panics: its end is told with what the kernel said, at once and ever after', async () => {
    const running = failure(() => vm.exec('sleep', ['1000']))
    const { error, took } = await failure(() => vm.$`echo c >/proc/sysrq-trigger; sleep 1000`)
    expect(took).toBeLessThan(SLOWNESS)
    for (const each of [error, (await running).error, await rejection(vm.waitForPort(80))]) {
      expect(each).toMatchObject({
        code: 'GUEST_GONE',
        consoleTail: expect.stringContaining('Kernel panic - not syncing: sysrq triggered crash'),
      })
      expect(each.message).toMatch(/QEMU ended \(exit code 0, guest-panic\)/)
      expect(each.message).toContain("the guest's kernel has said: Kernel panic - not syncing")
    }
  })

  test('that hangs: commands end at their deadline, and say that it does not answer', async () => {
    await vm.$`echo -1 >/proc/sys/kernel/sched_rt_runtime_us`
    const command = await failure(() => vm.exec('perl', HOG, { timeout: 3000 }))
    expect(command.took).toBeLessThan(3000 + KILL_GRACE[channel] + SLOWNESS)
    expect(command.error).toMatchObject({
      code: 'TIMEOUT',
      shortMessage: expect.stringMatching(
        /^Command timed out after 3000 ms, in a guest that does not answer: perl /,
      ),
      consoleTail: expect.stringContaining(BOOTED),
    })
    for (const call of [
      () => vm.waitForPort(80, { timeout: 1000 }),
      () => vm.waitForFile('/root/x', { timeout: 1000 }),
      () => vm.ip({ timeout: 1000 }),
    ]) {
      const { error, took } = await failure(call)
      expect(took).toBeLessThan(1000 + SLOWNESS)
      expect(error.message).toMatch(
        /the guest did not answer within 1000 ms|no sign for 1000 ms|no sshd of the guest answered within 1000 ms/,
      )
      expect(error.consoleTail).toContain(BOOTED)
    }
    const ready = await failure(() => vm.ready({ timeout: 1000 }))
    expect(ready.took).toBeLessThan(1000 + KILL_GRACE[channel] + SLOWNESS)
    expect(ready.error.code).toMatch(/^GUEST_NOT_READY|GUEST_AGENT_MISSING|GUEST_AGENT_SILENT$/)
    expect(ready.error.consoleTail).toContain(BOOTED)
  })

  test('whose CPUs were stopped: that is what is told', async () => {
    await vm.exec('true')
    await vm.pause()
    const { error } = await failure(() => vm.exec('true', [], { timeout: 500 }))
    expect(error.code).toBe('TIMEOUT')
    expect(error.message).toContain("the machine's CPUs stand still: QEMU says that it is paused")
  })

  test('that reboots: what ran in it is told at once, and it answers again', async () => {
    await vm.exec('true')
    const forwarded = await forwards(vm)
    const running = failure(() => vm.exec('sleep', ['1000']))
    const onStdout = () => {}
    const streamed = failure(() => vm.exec('sleep', ['1000'], { onStdout }))
    await vm.$`(sleep 0.5; reboot -f) </dev/null >/dev/null 2>&1 &`
    const events = vm.waitForEvent('RESET', { match: { guest: true }, timeout: 30_000 })
    for (const { error, took } of await Promise.all([running, streamed])) {
      expect(error).toMatchObject({
        code: 'GUEST_REBOOTED',
        shortMessage: `${name} was reset and boots anew: this call was under way`,
        consoleTail: expect.stringContaining('reboot: Restarting system'),
      })
      expect(took).toBeLessThan(3000 + SLOWNESS)
    }
    await events
    await vm.ready({ timeout: 600_000 })
    expect(await forwards(vm)).toBe(forwarded)
    expect((await vm.$`ps | grep -c '[s]leep 1000' || true`).stdout).toBe('0')
  }, 700_000)

  describe('whose disk is full', () => {
    let directory: string
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'vms-faults-'))
      await writeFile(join(directory, 'large'), Buffer.alloc(4 << 20, 'x'))
    })
    afterAll(() => rm(directory, { recursive: true }))

    test('says so of files that do not fit, and keeps none of them', async () => {
      await vm.$`mkdir /small && mount -t tmpfs -o size=1m none /small`
      for (const call of [
        () => vm.upload(join(directory, 'large'), '/small/large'),
        () => vm.writeFile('/small/large', Buffer.alloc(4 << 20)),
      ]) {
        const { error } = await failure(call)
        expect(error).toMatchObject({
          code: 'GUEST_FILE_FAILED',
          shortMessage: expect.stringContaining('/small/large in the guest cannot be written'),
          consoleTail: expect.stringContaining(BOOTED),
        })
        expect(error.message).toContain(noSpace)
        expect((await vm.$`ls -A /small`).stdout).toBe('')
      }
      const { error } = await failure(() => vm.$`cat /dev/zero >/small/zero`)
      expect(error).toMatchObject({ code: 'GUEST_COMMAND_FAILED' })
      expect(error.message).toContain(noSpace)
    })
  })
})

describe.each(GUESTS)('over agent, a %s guest', (name) => {
  const guest = FAULTY_GUESTS[name]
  const { booted: BOOTED } = guest
  const open = useGuest(name, 'agent')
  let vm: Vm
  beforeEach(() => {
    vm = open()
  })

  test('whose agent is killed: what it ran is told, and the next one answers', async () => {
    await vm.$`(sleep 0.5; kill -KILL $(pidof qemu-ga)) </dev/null >/dev/null 2>&1 &`
    const { error } = await failure(() => vm.exec('sleep', ['1000'], { timeout: 20_000 }))
    expect(error).toMatchObject({
      code: 'GUEST_AGENT_SILENT',
      shortMessage: expect.stringContaining('the guest agent was restarted and knows nothing of'),
      consoleTail: expect.stringContaining(BOOTED),
    })
    expect((await vm.exec('echo', ['again'])).stdout).toBe('again')
  })

  test('whose agent is killed for good: it is told that none runs', async () => {
    await vm.shell(soon(guest.endAgent))
    await expect.poll(() => hasAgent(vm), { timeout: 60_000 }).toBe(false)
    const command = await failure(() => vm.exec('sleep', ['1000'], { timeout: 3000 }))
    expect(command.took).toBeLessThan(3000 + KILL_GRACE.agent + SLOWNESS)
    expect(command.error.code).toBe('TIMEOUT')
    const port = await failure(() => vm.waitForPort(80, { timeout: 1000 }))
    expect(port.took).toBeLessThan(1000 + SLOWNESS)
    expect(port.error.code).toBe('GUEST_AGENT_SILENT')
    for (const { error } of [command, port]) {
      expect(error.message).toContain(
        "nothing in the guest has the agent's port open: no agent runs there",
      )
      expect(error.consoleTail).toContain(BOOTED)
    }
  })

  test('whose agent is stopped: it is told that it does not answer', async () => {
    await vm.$`(sleep 0.5; kill -STOP $(pidof qemu-ga)) </dev/null >/dev/null 2>&1 &`
    const { error } = await failure(() => vm.exec('sleep', ['1000'], { timeout: 2000 }))
    expect(error.shortMessage).toContain('in a guest that does not answer')
    expect((await rejection(vm.waitForPort(80, { timeout: 500 }))).code).toBe('GUEST_AGENT_SILENT')
  })
})

describe('over agent, a guest', () => {
  const { booted: BOOTED } = FAULTY_GUESTS.tiny
  const open = useGuest('tiny', 'agent')
  let vm: Vm
  beforeEach(() => {
    vm = open()
  })

  test('says so where there is no room for the pipes of a stream', async () => {
    await vm.$`mkdir /small && mount -t tmpfs -o nr_inodes=1 none /small
      mount --bind /small /run && mount --bind /small /tmp`
    const upload = await failure(() => vm.upload('/etc/hostname', '/root/name'))
    expect(upload.error).toMatchObject({ code: 'GUEST_FILE_FAILED' })
    const onStdout = () => {}
    const command = await failure(() => vm.$({ onStdout })`echo text`)
    expect(command.error).toMatchObject({ code: 'GUEST_COMMAND_FAILED', exitCode: 126 })
    for (const { error } of [upload, command]) expect(error.message).toContain(noSpace)
  })

  test('that drops its network is told by what needs it, and by nothing else', async () => {
    await vm.$`mkdir -p /srv && httpd -p 80 -h /srv; until ip addr | grep -q 10.0.2.15; do sleep 0.1; done`
    expect(await vm.ip()).toBe('10.0.2.15')
    await vm.waitForPort(80, { host: '10.0.2.15' })
    await vm.$`ip link set eth0 down`
    const ip = await failure(() => vm.ip({ timeout: 1000 }))
    expect(ip.error.message).toContain('the guest had no IPv4 address within 1000 ms')
    expect(ip.error.message).toContain('eth0, which is down')
    const port = await failure(() => vm.waitForPort(80, { host: '10.0.2.15', timeout: 1000 }))
    expect(port.error.shortMessage).toBe(
      '10.0.2.15 port 80 of the guest cannot be reached within 1000 ms: eth0 is down',
    )
    for (const { error, took } of [ip, port]) {
      expect(error).toMatchObject({ code: 'TIMEOUT', consoleTail: expect.stringContaining(BOOTED) })
      expect(took).toBeLessThan(1000 + SLOWNESS)
    }
    await vm.waitForPort(80)
  })
})

describe.each(GUESTS)('over ssh, a %s guest', (name) => {
  const guest = FAULTY_GUESTS[name]
  const { booted: BOOTED } = guest
  const open = useGuest(name, 'ssh')
  let vm: Vm
  beforeEach(() => {
    vm = open()
  })

  test('whose sshd is killed: what it ran is told, and then that nobody is let in', async () => {
    await vm.shell(soon(guest.endSshd))
    const { error, took } = await failure(() => vm.exec('sleep', ['1000']))
    expect(error).toMatchObject({
      code: 'GUEST_SSH_LOST',
      shortMessage: expect.stringContaining('the ssh connection to the guest was lost'),
      consoleTail: expect.stringContaining(BOOTED),
    })
    expect(took).toBeLessThan(SLOWNESS)
    const next = await failure(() => vm.ready({ timeout: 1000 }))
    expect(next.error.message).toContain('no sshd of the guest answered within 1000 ms')
    expect(next.took).toBeLessThan(1000 + SLOWNESS)
  })

  test('that drops its network: commands end at their deadline, and say that it does not answer', async () => {
    await vm.shell(soon(`ip link set ${guest.card} down`))
    const { error, took } = await failure(() => vm.exec('sleep', ['1000'], { timeout: 3000 }))
    expect(error).toMatchObject({
      code: 'TIMEOUT',
      shortMessage: expect.stringContaining('in a guest that does not answer'),
      consoleTail: expect.stringContaining(BOOTED),
    })
    expect(took).toBeLessThan(3000 + KILL_GRACE.ssh + SLOWNESS)
    const next = await failure(() => vm.waitForPort(80, { timeout: 1000 }))
    expect(next.error.message).toContain('within 1000 ms')
    expect(next.took).toBeLessThan(1000 + SLOWNESS)
  })
})

describe('over console, a guest', () => {
  const guest = useGuest('tiny', 'console')

  test('that panics: its end is told with what the kernel said', async () => {
    const { error, took } = await failure(() => guest().$`echo c >/proc/sysrq-trigger; sleep 1000`)
    expect(took).toBeLessThan(SLOWNESS)
    expect(error).toMatchObject({
      code: 'GUEST_GONE',
      consoleTail: expect.stringContaining('Kernel panic - not syncing: sysrq triggered crash'),
    })
  })

  test('that is reset: what ran in it is told, and from then on calls are for the next boot', async () => {
    const vm = guest()
    for (let round = 0; round < 2; round++) {
      const running = failure(() => vm.$`sleep 1000`)
      await delay(500)
      void vm.reset()
      expect((await running).error.code).toBe('GUEST_REBOOTED')
      await vm.ready()
    }
  })

  test('that hangs: commands end at their deadline, and say that it does not answer', async () => {
    const vm = guest()
    await vm.$`echo -1 >/proc/sys/kernel/sched_rt_runtime_us`
    const { error, took } = await failure(() => vm.exec('perl', HOG, { timeout: 3000 }))
    expect(took).toBeLessThan(3000 + KILL_GRACE.console + SLOWNESS)
    expect(error).toMatchObject({
      code: 'TIMEOUT',
      shortMessage: expect.stringContaining('in a guest that does not answer'),
    })
    const next = await failure(() => vm.exec('true', [], { timeout: 1000 }))
    expect(next.error).toMatchObject({ code: 'TIMEOUT' })
    expect(next.took).toBeLessThan(1000 + KILL_GRACE.console + SLOWNESS)
  })

  test('whose disk is full says so', async () => {
    const vm = guest()
    await vm.$`mkdir /small && mount -t tmpfs -o size=64k none /small`
    const large = Buffer.alloc(100_000)
    const { error } = await failure(() => vm.writeFile('/small/large', large))
    expect(error).toMatchObject({ code: 'GUEST_FILE_FAILED' })
    expect(error.message).toContain('No space left on device')
    // What its shell says to this process is no line of the console.
    expect(error.message).not.toMatch(/vms-[0-9a-f]{8}[.+=:-]/)
    expect((await vm.$`ls -A /small`).stdout).toBe('')
  }, 120_000)
})
