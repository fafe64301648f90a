import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { image } from '../../../src/images/image.js'
import { kernelParameters } from '../../../src/images/tiny/platform.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'
import { environment } from '../../../src/states/definitions/environment.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { AnyState, Vm } from '../../../src/states/definitions/types.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { useStore } from '../graph/use-store.js'
import { clockError, prepareForSleep, randomBytesOf } from './waking.js'

const place = useStore()

const options = { image: image.tiny(), memory: '128 MiB' } as const

const tiny = machine('tiny', options)
const past = tiny.live('past', prepareForSleep)
const child = past.live('child', (vm) => vm.$`date +%Y >/year`)

const open = <H>(state: AnyState<H>) => openMachines(state, place.context)

function only(processes: readonly MachineProcess[]): MachineProcess {
  if (processes.length !== 1) throw new Error(`${processes.length} machines`)
  return processes[0] as MachineProcess
}

async function answerOf({ host, port }: { host: string; port: number }): Promise<string> {
  const socket = connect({ host, port })
  const [data] = await once(socket, 'data')
  socket.destroy()
  return String(data)
}

async function wakers(vm: Vm): Promise<string[]> {
  const { stdout } = await vm.$`ps -o pid,args | grep 'vm-states-wake[r]' || true`
  return stdout.split('\n').filter((line) => line !== '')
}

it("clones have the host's clock, and random numbers of their own", async () => {
  await using opened = await open(past)
  const errors: number[] = []
  const random = new Set<string>()
  for (let clone = 0; clone < 10; clone++) {
    if (clone > 0) await opened.reset()
    errors.push(await clockError(only(opened.processes)))
    const vm = opened.handle()
    for (const bytes of await randomBytesOf(vm)) random.add(bytes)
  }
  expect(Math.max(...errors)).toBeLessThan(100)
  expect(random.size).toBe(20)
})

it("a setup on a live state runs at the host's time, and finds the waker there", async () => {
  await using parent = await open(past)
  await using opened = await open(child)
  const vm = opened.handle()
  expect(await vm.readFile('/year')).toBe(`${new Date().getUTCFullYear()}\n`)
  expect(await wakers(vm)).toEqual(await wakers(parent.handle()))
  expect(await wakers(vm)).toHaveLength(1)
})

it('a frozen clock goes on from where it was', async () => {
  const frozen = machine('frozen', { ...options, clock: 'frozen' })
  await using opened = await open(frozen.live('past', prepareForSleep))
  const random = await opened.handle().$`head -c 16 /dev/urandom | od -An -tx1; date +%Y-%m-%d`
  await opened.reset()
  const again = await opened.handle().$`head -c 16 /dev/urandom | od -An -tx1; date +%Y-%m-%d`
  expect(random.stdout).toMatch(/2020-01-01$/)
  expect(again.stdout).toMatch(/2020-01-01$/)
  expect(again.stdout).not.toBe(random.stdout)
})

describe('a guest whose clock is the time stamp counter, which TCG never turns back', () => {
  const append = kernelParameters('x86_64').replace('notsc', 'tsc=reliable')
  const ticking = { ...options, extraArgs: ['-append', append] }
  const read = async (vm: Vm, command: string) =>
    Number((await vm.exec('sh', ['-c', command])).stdout)

  it('takes little of what ran before for time of its own', async () => {
    const up = 'cut -d " " -f 1 /proc/uptime'
    await using opened = await open(machine('ticking', ticking).live('up', () => {}))
    const before = await read(opened.handle(), up)
    await setTimeout(5500)
    await opened.reset()
    expect(await read(opened.handle(), up)).toBeLessThan(before + 3)
  })

  it('takes nothing for it where the clock is frozen', async () => {
    const frozen = machine('frozen', { ...ticking, clock: 'frozen' })
    await using opened = await open(frozen.live('up', () => {}))
    const before = await read(opened.handle(), 'date +%s')
    await setTimeout(3500)
    await opened.reset()
    expect(await read(opened.handle(), 'date +%s')).toBeLessThan(before + 3)
  })
})

it('the time since boot is the same in each clone of the built-in guest, which has another clock', async () => {
  await using opened = await open(past)
  const up = async () => Number((await opened.handle().$`cut -d " " -f 1 /proc/uptime`).stdout)
  const { pid } = only(opened.processes)
  const before = await up()
  await setTimeout(2500)
  await opened.reset()
  expect(only(opened.processes).pid).toBe(pid)
  expect(await up()).toBeLessThan(before + 1.5)
})

it('a guest without Perl and Python has its clock set by its agent, and people are told', async () => {
  const warnings: string[] = []
  const listen = ({ message }: Error) => warnings.push(message)
  process.on('warning', listen)
  onTestFinished(() => void process.off('warning', listen))
  const bare = past.live('bare', async (vm) => {
    const [waker = ''] = await wakers(vm)
    await vm.$`kill ${waker.trim().split(' ')[0] ?? ''}; rm /usr/bin/perl; date -s 2020-01-01`
  })
  await using opened = await open(bare)
  expect(await clockError(only(opened.processes))).toBeLessThan(100)
  expect(await wakers(opened.handle())).toEqual([])
  expect(warnings).toEqual([
    expect.stringMatching(/^tiny will take longer to restore.*neither Perl nor Python/),
    expect.stringMatching(/^tiny was restored.*random.*vmgenid/),
  ])
})

it('a machine that is rewound within its process is woken, too', async () => {
  const rewound = past.live('rewound', (vm) => vm.$`date -s 2020-01-01`, { backend: 'live' })
  await using opened = await open(rewound)
  const { pid } = only(opened.processes)
  await opened.reset()
  expect(only(opened.processes).pid).toBe(pid)
  expect(await clockError(only(opened.processes))).toBeLessThan(100)
})

it('afterRestore has the machine after each restore, when its clock is right', async () => {
  const years: string[] = []
  const hooked = machine('hooked', {
    ...options,
    afterRestore: async (vm) => {
      years.push((await vm.$`date +%Y`).stdout)
      if (years.length === 3) throw new Error('no more')
    },
  })
  const opened = await open(hooked.live('past', prepareForSleep))
  await opened.reset()
  await expect(opened.reset()).rejects.toMatchObject({
    code: 'AFTER_RESTORE_FAILED',
    message: 'the afterRestore of hooked failed: no more',
  })
  const now = String(new Date().getUTCFullYear())
  expect(years).toEqual([now, now, now])
  expect(opened.processes.filter(({ running }) => running)).toEqual([])
})

it('a machine with a fresh identity has another one after each restore, and can be reached', async () => {
  const fresh = machine('fresh', { ...options, identity: 'fresh' })
  const kept = fresh.live('past', prepareForSleep).live('kept', async (vm) => {
    await vm.writeFile('/etc/machine-id', '0\n')
    await vm.$`nc -ll -p 80 -e echo reached >/dev/null 2>&1 &`
    await vm.waitForPort(80)
  })
  await using opened = await open(kept)
  const identities: string[] = []
  for (let restore = 0; restore < 2; restore++) {
    if (restore > 0) await opened.reset()
    const vm = opened.handle()
    identities.push((await vm.$`cat /etc/machine-id`).stdout)
    expect(await answerOf(await vm.forwardPort(80))).toBe('reached\n')
  }
  expect(new Set([...identities, '0']).size).toBe(3)
})

it('a guest that cannot be given an identity of its own is not handed out', async () => {
  const fresh = machine('fresh', { ...options, identity: 'fresh' })
  const past = fresh.live('past', prepareForSleep)
  const kept = past.live('readOnly', (vm) => vm.$`touch /etc/machine-id; mount -o remount,ro /`)
  await expect(open(kept)).rejects.toMatchObject({
    code: 'IDENTITY_NOT_FRESH',
    hint: expect.stringContaining('Read-only file system'),
  })
})

it('a forward of the test before is gone, and one of this test is another', async () => {
  await using opened = await open(past)
  const before = await opened.handle().forwardPort(80)
  await opened.reset()
  await opened.handle().forwardPort(80)
  await expect(answerOf(before)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

it('all machines of an environment are woken', async () => {
  const lab = environment('lab', { left: past, right: past })
  await using opened = await open(lab.live('both', () => {}))
  for (const process of opened.processes) expect(await clockError(process)).toBeLessThan(100)
})

it('what its agent alone can wake gets another QEMU each time: vmgenid changes with it', async () => {
  const noPerl = past.live('no-perl', async (vm) => {
    await vm.$`kill $(ps -o pid,args | grep 'vm-states-wake[r]' | sed 's/^ *//; s/ .*//')`
    await vm.$`rm $(which perl)`
  })
  for (const [state, isSame] of [
    [past, true],
    [noPerl, false],
  ] as const) {
    await using opened = await open(state)
    const { pid } = only(opened.processes)
    await opened.reset()
    expect(only(opened.processes).pid === pid).toBe(isSame)
  }
})
