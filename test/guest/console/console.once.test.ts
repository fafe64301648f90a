import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { VmControl } from '../../../src/guest/vm-control.js'
import { firmwareReady, launchBare, POWER_OFF } from '../../qemu/machine/bare-machine.js'
import { bootTiny, rejection, rewindTiny, type TinyVm } from '../tiny-vm.js'

let tiny: TinyVm

beforeAll(async () => {
  tiny = await bootTiny()
  await tiny.process.qmp.humanMonitor('savevm booted')
})
afterAll(() => tiny[Symbol.asyncDispose]())

const rewound = () => rewindTiny(tiny, 'booted')

async function bare() {
  const process = await launchBare()
  const control = new VmControl({ machine: 'bare', liveness: 'live' })
  control.attach(process)
  onTestFinished(() => control.release('the test has ended'))
  return { process, control, vm: control.vm }
}

test('what is typed reaches the guest, and each wait goes on where the last one has ended', async () => {
  const { vm } = await rewound()
  await vm.console.sendLine('echo one-$((1 + 1)); echo three-$((3 + 1)); echo one-$((1 + 1))')
  const { match, before } = await vm.console.waitFor(/^one-(?<number>\d)$/m)
  expect(match.groups?.number).toBe('2')
  expect(before).toContain('echo one-$((1 + 1))')
  expect((await vm.console.waitFor('three-4\none-2\n')).before).toBe('\n')
  await vm.console.waitFor(/# $/)
  await vm.console.send('echo re"ads"; cat >/root/typed\n')
  await vm.console.waitFor(/^reads$/m)
  await vm.console.send(Buffer.from('a\x04'))
  await vm.console.send('\x04')
  await vm.console.waitFor(/# $/)
  expect(await vm.readFile('/root/typed')).toBe('a')
})

test.each(['ttyS1', 'hvc0'] as const)(
  'the console may be %s of the guest',
  async (console) => {
    await using other = await bootTiny({ console })
    await other.vm.$`echo it is ${console} >/dev/${console}`
    await other.vm.console.waitFor(`it is ${console}\n`)
    const read = 'exec <"$1"; touch /root/open; head -n 1 >/root/typed'
    const reading = other.vm.exec('sh', ['-c', read, 'sh', `/dev/${console}`])
    await other.vm.waitForFile('/root/open')
    await other.vm.console.sendLine('typed')
    await reading
    expect(await other.vm.readFile('/root/typed')).toBe('typed\n')
  },
  60_000,
)

test('Ctrl-C ends what runs in the foreground', async () => {
  const { vm } = await rewound()
  await vm.console.sendLine('echo going; sleep 1000')
  await vm.console.waitFor(/^going$/m)
  await vm.console.send('\x03')
  await vm.console.waitFor(/# $/)
})

test('what does not come is an error in time, with what came instead', async () => {
  const { vm } = await rewound()
  await vm.console.sendLine('echo some"thing"')
  await vm.console.waitFor('some')
  const error = await rejection(vm.console.waitFor(/never/, { timeout: 1500 }))
  expect(error.code).toBe('TIMEOUT')
  expect(error.message).toContain('/never/ did not come over the console within 1500 ms')
  expect(error.message).toContain('something\\n')
  expect(error.message).toContain("the console's last lines")
  const controller = new AbortController()
  const waiting = rejection(vm.console.waitFor(/never/, { signal: controller.signal }))
  controller.abort()
  expect((await waiting).code).toBe('ABORTED')
  // Nothing that came was lost to them.
  await vm.console.waitFor('something\n')
  for (const call of [
    () => vm.console.waitFor(''),
    () => vm.console.waitFor(/x/, { timeout: -1 }),
    () => vm.console.send(1 as never),
    () => vm.console.sendLine(1 as never),
  ]) {
    expect((await rejection(call())).code).toBe('INVALID_VALUE')
  }
})

test('who waits is told when the machine ends, and sees what it said at last', async () => {
  const { vm, process } = await bare()
  await firmwareReady(process)
  const waiting = rejection(vm.console.waitFor(/never/))
  await process.qmp.humanMonitor(POWER_OFF).catch(() => {})
  expect(await waiting).toMatchObject({ code: 'GUEST_GONE' })
  await vm.console.waitFor('SeaBIOS')
  const bytes: Buffer[] = []
  for await (const chunk of vm.console.stream()) bytes.push(chunk)
  expect(Buffer.concat(bytes).toString()).toContain('No bootable device')
  expect(await vm.console.transcript()).toMatch(/^ +\d+\.\d\d \| SeaBIOS \(version/m)
})

test('what is waited for goes on after the reset button', async () => {
  const { vm } = await bare()
  await vm.console.waitFor('No bootable device')
  const waiting = vm.console.waitFor('No bootable device')
  await vm.reset()
  expect((await waiting).before).toContain('SeaBIOS')
})

test('a handle that is given back reads no more', async () => {
  const { vm, control } = await rewound()
  const waiting = rejection(vm.console.waitFor(/never/))
  const read = async () => {
    for await (const _ of vm.console.stream());
  }
  const reading = read()
  control.release('the test has ended')
  expect((await waiting).code).toBe('GUEST_RELEASED')
  await reading
  expect((await rejection(vm.console.send('x'))).code).toBe('GUEST_RELEASED')
})

test('a machine that went back to its state has nothing on its console but what came since', async () => {
  const first = await rewound()
  await first.vm.console.sendLine('echo bef"ore"')
  await first.vm.console.waitFor(/^before$/m)
  const { vm } = await rewound()
  await vm.console.sendLine('echo aft"er"')
  expect((await vm.console.waitFor(/^after$/m)).before).not.toContain('before')
  const text = await vm.console.transcript()
  expect(text).toContain('| after')
  expect(text).not.toContain('before')
  for await (const bytes of vm.console.stream()) {
    expect(bytes.toString()).toContain('after')
    break
  }
})

test('seconds of a transcript are those that the CPUs have run', async () => {
  const { vm } = await rewound()
  const said = async (text: string) => {
    await vm.console.sendLine(`echo said-${text}`)
    await vm.console.waitFor(new RegExp(`^said-${text}$`, 'm'))
    // Where this process was busy, it has seen it later.
    const line = (await vm.console.transcript())
      .split('\n')
      .find((one) => one.endsWith(`| said-${text}`))
    return Number.parseFloat(line ?? '')
  }
  const one = await said('one')
  await vm.pause()
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const began = performance.now()
  await vm.resume()
  const two = await said('two')
  expect(two).toBeGreaterThanOrEqual(one)
  expect(two - one).toBeLessThan((performance.now() - began) / 1000 + 1)
})

test('a guest does not wait for anybody to read, and nothing that it prints is lost', async () => {
  const { vm, process } = await rewound()
  const { size } = process.serial
  const line = '0123456789abcde\r\n'
  const printed = vm.exec('sh', ['-c', 'yes 0123456789abcde | head -n 12500 >/dev/ttyS0'])
  await expect.poll(() => process.serial.size, { timeout: 60_000 }).toBeGreaterThan(size)
  // This thread is busy with something else.
  const before = process.serial.size
  const waited = new Int32Array(new SharedArrayBuffer(4))
  const begin = performance.now()
  while (process.serial.size < before + 20_000 && performance.now() - begin < 60_000) {
    Atomics.wait(waited, 0, 0, 100)
  }
  expect(process.serial.size).toBeGreaterThanOrEqual(before + 20_000)
  await printed
  const bytes: Buffer[] = []
  let length = 0
  for await (const chunk of vm.console.stream()) {
    bytes.push(chunk)
    length += chunk.length
    if (length >= 12_500 * line.length) break
  }
  expect(Buffer.concat(bytes).toString().split(line)).toHaveLength(12_501)
})

test('the panic of a kernel is on the console, and ends whoever waits', async () => {
  await using other = await bootTiny()
  await other.vm.console.waitFor('# ')
  const waiting = rejection(other.vm.console.waitFor(/never/))
  await other.vm.console.sendLine('echo c >/proc/sysrq-trigger')
  expect(await waiting).toMatchObject({ code: 'GUEST_GONE' })
  expect((await waiting).message).toContain('guest-panic')
  expect(await other.vm.console.transcript()).toContain('Kernel panic - not syncing: sysrq')
})
