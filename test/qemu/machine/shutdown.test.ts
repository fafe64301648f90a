import { expect, test } from 'vitest'
import { firmwareReady, launchBare, PANIC, POWER_OFF, RESET } from './bare-machine.js'

test('a guest that powers itself off has shut down', async () => {
  const machine = await launchBare()
  await firmwareReady(machine)
  const shutdown = machine.waitForShutdown({ timeout: 10_000 })
  await machine.qmp.humanMonitor(POWER_OFF)
  await shutdown
  expect(machine.running).toBe(false)
  expect(await machine.exited).toEqual({ code: 0, signal: null, shutdownReason: 'guest-shutdown' })
})

test('a guest that reboots has not', async () => {
  const machine = await launchBare()
  await firmwareReady(machine)
  const shutdown = machine.waitForShutdown({ timeout: 300 })
  await machine.qmp.humanMonitor(RESET)
  await expect(shutdown).rejects.toMatchObject({
    code: 'GUEST_NOT_SHUT_DOWN',
    message: expect.stringMatching(
      // The firmware's escape sequences, which can clear a screen, are not in it.
      /did not power itself off within 300 ms[\P{Cc}\n]*No bootable device[\P{Cc}\n]*$/u,
    ),
  })
  expect(machine.running).toBe(true)
})

test('a guest that panics has not', async () => {
  const machine = await launchBare()
  const shutdown = machine.waitForShutdown({ timeout: 10_000 })
  await machine.qmp.humanMonitor(PANIC)
  await expect(shutdown).rejects.toMatchObject({
    code: 'GUEST_NOT_SHUT_DOWN',
    message: expect.stringContaining(
      'ended otherwise than by a shutdown: exit code 0, guest-panic',
    ),
  })
})

test('a QEMU that was told to quit, or was killed, is no shutdown', async () => {
  const quit = await launchBare()
  const killed = await launchBare()
  const shutdowns = [quit, killed].map((machine) => machine.waitForShutdown())
  const expected = Promise.all([
    expect(shutdowns[0]).rejects.toThrow('exit code 0, host-qmp-quit'),
    expect(shutdowns[1]).rejects.toThrow('signal SIGKILL'),
  ])
  process.kill(killed.pid, 'SIGKILL')
  await quit.close()
  await expected
})

test('waiting for a shutdown can be cancelled', async () => {
  const machine = await launchBare()
  const shutdown = machine.waitForShutdown({ signal: AbortSignal.timeout(50) })
  await expect(shutdown).rejects.toMatchObject({ code: 'ABORTED' })
})

test('the power button reaches the guest as an event of ACPI', async () => {
  const machine = await launchBare()
  const pressed = machine.qmp.waitForEvent('POWERDOWN', { timeout: 5000 })
  await machine.powerButton()
  await pressed
})
