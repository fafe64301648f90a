import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, expectTypeOf, onTestFinished, test } from 'vitest'
import { VmControl } from '../../src/guest/vm-control.js'
import type { LaunchOptions } from '../../src/qemu/machine/launch-options.js'
import type { MachineProcess } from '../../src/qemu/machine/machine-process.js'
import { firmwareReady, launchBare, POWER_OFF } from '../qemu/machine/bare-machine.js'
import { bootTiny, rejection } from './tiny-vm.js'

/** A machine that runs its firmware alone, with a handle. */
async function bare(changes: Partial<LaunchOptions> = {}) {
  const process = await launchBare(changes)
  const control = new VmControl({ machine: 'bare', liveness: 'disk' })
  control.attach(process)
  onTestFinished(() => control.release('the test has ended'))
  return { process, control, vm: control.vm }
}

test('a machine is paused, goes on, and tells of it by events', async () => {
  const { vm, process } = await bare()
  expect(await vm.status()).toBe('running')
  await vm.pause()
  expect(await vm.status()).toBe('paused')
  await vm.resume()
  expect(await vm.status()).toBe('running')
  const stop = await vm.waitForEvent('STOP')
  expect((await vm.waitForEvent(['RESET', 'RESUME'])).time).toBeGreaterThan(stop.time)
  expect(process.isAltered).toBe(false)
})

test('commands for QEMU are typed where they are known, and open for the rest', async () => {
  const { vm, process } = await bare()
  const { qemu } = await vm.qmp('query-version')
  expectTypeOf(qemu.major).toEqualTypeOf<number>()
  expect(`${qemu.major}.${qemu.minor}.${qemu.micro}`).toBe(await process.qmp.version)
  const chardevs = await vm.qmp('query-chardev')
  expectTypeOf(chardevs).toBeUnknown()
  expect(chardevs).toContainEqual(expect.objectContaining({ label: 'console' }))
  expect(process.isAltered).toBe(false)
  await vm.qmp('set_link', { name: 'net0', up: false })
  expect(process.isAltered).toBe(true)
  const error = await rejection(vm.qmp('no-such-command'))
  expect(error).toMatchObject({ code: 'QMP_COMMAND_FAILED' })
  expect(error.message).toContain('no-such-command has not been found')
})

test('all events can be read, until the machine ends or is given back', async () => {
  const { vm, control, process } = await bare()
  await firmwareReady(process)
  const read = async () => {
    const names: string[] = []
    for await (const { name } of vm.events()) names.push(name)
    return names
  }
  const [one, other] = [read(), read()]
  await vm.pause()
  await vm.waitForEvent('STOP')
  const waiting = rejection(vm.waitForEvent('POWERDOWN'))
  control.release('the test has ended')
  expect(await waiting).toMatchObject({ code: 'GUEST_RELEASED' })
  expect(await one).toEqual(['STOP'])
  expect(await other).toEqual(['STOP'])
  expect(await rejection(vm.status())).toMatchObject({ code: 'GUEST_RELEASED' })
})

test('who waits for an event of a machine that ends is told', async () => {
  const { vm, process } = await bare()
  await firmwareReady(process)
  const waiting = rejection(vm.waitForEvent('STOP'))
  await vm.qmp('human-monitor-command', { 'command-line': POWER_OFF })
  expect(await waiting).toMatchObject({ code: 'GUEST_GONE' })
})

test('the display is a picture, and what has none says so', async () => {
  const { vm, process } = await bare({ extraArgs: ['-device', 'VGA'] })
  await firmwareReady(process)
  const picture = await vm.screenshot()
  expect(picture.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n')
  // Width and height of the header: the firmware's text mode, 80 by 25.
  expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([720, 400])
  const { vm: blind } = await bare()
  expect(await rejection(blind.screenshot())).toMatchObject({ code: 'NO_DISPLAY' })
})

/** What was typed, as the firmware keeps it for a system that asks: see its data area, 0x41a to 0x43e. */
async function typed(process: MachineProcess, file: string): Promise<string> {
  await process.qmp.execute('pmemsave', { val: 0x41a, size: 36, filename: file })
  const area = await readFile(file)
  const [head, tail] = [area.readUInt16LE(0), area.readUInt16LE(2)]
  const text: string[] = []
  for (let at = head; at !== tail; at = at === 0x3c ? 0x1e : at + 2) {
    text.push(String.fromCharCode(area[at - 0x1a] ?? 0))
  }
  return text.join('')
}

test('a text is typed as it is, and keys are pressed together', async () => {
  const { vm, process } = await bare()
  await firmwareReady(process)
  const file = join(process.options.directory, 'typed')
  await vm.type('aZ 7&|~')
  await expect.poll(() => typed(process, file)).toBe('aZ 7&|~')
  await vm.sendKeys('ctrl-c')
  await expect.poll(() => typed(process, file)).toBe('aZ 7&|~\x03')
  expect(await rejection(vm.sendKeys('no_such_key'))).toMatchObject({ code: 'QMP_COMMAND_FAILED' })
  expect(await rejection(vm.type('ß'))).toMatchObject({ code: 'INVALID_VALUE' })
})

test('typing ends with the handle', async () => {
  const { vm, control, process } = await bare()
  await firmwareReady(process)
  const file = join(process.options.directory, 'typed')
  const typing = rejection(vm.type('abcdefghij'))
  await expect.poll(() => typed(process, file)).toContain('ab')
  control.release('its test has ended')
  expect(await typing).toMatchObject({ code: 'GUEST_RELEASED' })
  expect(await typed(process, file)).not.toContain('j')
})

test('a timeout that is none is refused', async () => {
  const { vm } = await bare()
  for (const timeout of [Number.POSITIVE_INFINITY, 0, 2 ** 31]) {
    for (const call of [
      () => vm.waitForEvent('POWERDOWN', { timeout }),
      () => vm.qmp('query-version', undefined, { timeout }),
    ]) {
      expect(await rejection(call())).toMatchObject({ code: 'INVALID_VALUE' })
    }
  }
})

test('the reset button has a guest boot anew, and the power button has it shut down', async () => {
  await using tiny = await bootTiny()
  const { vm, process } = tiny
  const boot = async () => (await vm.readFile('/proc/sys/kernel/random/boot_id')).trim()
  const before = await boot()
  await vm.reset()
  await vm.ready()
  expect(await boot()).not.toBe(before)
  await vm.powerButton()
  await process.waitForShutdown({ timeout: 60_000 })
  expect(await rejection(vm.status())).toMatchObject({ code: 'GUEST_GONE' })
})
