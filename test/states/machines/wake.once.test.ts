import { expect, it, onTestFinished } from 'vitest'
import { image } from '../../../src/images/image.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { AnyState, Vm } from '../../../src/states/definitions/types.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { useStore } from '../graph/use-store.js'
import { clockError } from './guest-clock.js'

const place = useStore()

const options = { image: image.tiny(), memory: '128 MiB' } as const

/** Reads random bytes in a process that has been there since before the state was kept. */
const OLD_READER = `
  open my $random, '<', '/dev/urandom';
  for (;;) {
    open my $ask, '<', '/run/ask';
    <$ask>;
    sysread $random, my $bytes, 16;
    open my $answer, '>', '/run/answer';
    print $answer unpack 'H*', $bytes;
    close $answer;
  }
`

const tiny = machine('tiny', options)
/** Its clock is years behind. */
const past = tiny.live(
  'past',
  async (vm) => {
    await vm.$`mkfifo /run/ask /run/answer`
    await vm.$`setsid perl -e ${OLD_READER} >/dev/null 2>&1 &`
    await vm.$`date -s 2020-01-01`
  },
  { inputs: { values: { OLD_READER } } },
)
const child = past.live('child', (vm) => vm.$`date +%Y >/year`)

const open = <H>(state: AnyState<H>) => openMachines(state, place.context)

function only(processes: readonly MachineProcess[]): MachineProcess {
  if (processes.length !== 1) throw new Error(`${processes.length} machines`)
  return processes[0] as MachineProcess
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
    random.add((await vm.$`head -c 16 /dev/urandom | od -An -tx1`).stdout)
    random.add((await vm.$`echo >/run/ask; cat /run/answer`).stdout)
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
  const kept = frozen.live('kept', (vm) => vm.$`date -s 2020-01-01`)
  await using opened = await open(kept)
  const random = await opened.handle().$`head -c 16 /dev/urandom | od -An -tx1; date +%Y-%m-%d`
  await opened.reset()
  const again = await opened.handle().$`head -c 16 /dev/urandom | od -An -tx1; date +%Y-%m-%d`
  expect(random.stdout).toMatch(/2020-01-01$/)
  expect(again.stdout).toMatch(/2020-01-01$/)
  expect(again.stdout).not.toBe(random.stdout)
})

it('a guest without Perl and Python has its clock set by its agent, and people are told', async () => {
  const warnings: string[] = []
  const listen = ({ message }: Error) => warnings.push(message)
  process.on('warning', listen)
  onTestFinished(() => void process.off('warning', listen))
  const bare = tiny.live('bare', async (vm) => {
    await vm.$`killall vm-states-waker || true; rm /usr/bin/perl; date -s 2020-01-01`
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
  const rewound = tiny.live('rewound', (vm) => vm.$`date -s 2020-01-01`, { backend: 'live' })
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
  const kept = hooked.live('kept', (vm) => vm.$`date -s 2020-01-01`)
  const opened = await open(kept)
  await opened.reset()
  await expect(opened.reset()).rejects.toMatchObject({
    code: 'AFTER_RESTORE_FAILED',
    message: 'the afterRestore of hooked failed: no more',
  })
  const now = String(new Date().getUTCFullYear())
  expect(years).toEqual([now, now, now])
  expect(opened.processes.filter(({ running }) => running)).toEqual([])
})
