import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launch } from '../../../src/qemu/machine/launch.js'
import { processStartTime } from '../../../src/qemu/machine/proc-stat.js'
import { bareOptions, firmwareReady, launchBare, temporaryDirectory } from './bare-machine.js'

test('a launched machine runs, and writes its console to a file from power-on', async () => {
  const machine = await launchBare()
  expect(machine.running).toBe(true)
  expect(machine.startTime).toBe(processStartTime(machine.pid))
  expect(machine.commandLine).toContain('-nodefaults')
  await firmwareReady(machine)
  expect(await readFile(machine.consoleFile, 'utf8')).toContain('SeaBIOS')
  expect(await machine.qmp.execute('query-status')).toMatchObject({ status: 'running' })
})

test('a machine launched as paused has run no instruction', async () => {
  const machine = await launchBare({ paused: true })
  expect(await machine.qmp.execute('query-status')).toMatchObject({ running: false })
  expect(await machine.qmp.humanMonitor('info registers')).toContain('EIP=0000fff0')
})

test('the pid is announced, and awaited, before the machine runs', async () => {
  let announced = 0
  let console = 'not looked at'
  const options = await bareOptions()
  const file = join(options.directory, 'console.log')
  const machine = await launchBare({
    ...options,
    async onSpawn(pid) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      announced = pid
      // A slow host's QEMU may not even have made the file.
      console = existsSync(file) ? await readFile(file, 'utf8') : ''
    },
  })
  expect(announced).toBe(machine.pid)
  expect(console).toBe('')
  expect(existsSync(file)).toBe(true)
})

test('a second start in the same directory keeps the console of the first', async () => {
  const directory = await temporaryDirectory()
  const first = await launchBare({ directory })
  await firmwareReady(first)
  await first.close()
  const second = await launchBare({ directory, paused: true })
  expect(await second.consoleTail()).toContain('No bootable device')
})

test('close ends QEMU, once and for all', async () => {
  const machine = await launchBare()
  await Promise.all([machine.close(), machine.close()])
  expect(machine.running).toBe(false)
  expect(await machine.exited).toEqual({ code: 0, signal: null, shutdownReason: 'host-qmp-quit' })
  await machine.close()
  await expect(machine.qmp.execute('query-status')).rejects.toMatchObject({
    code: 'QMP_CONNECTION_LOST',
  })
})

test('close ends a QEMU that does not react', async () => {
  const machine = await launchBare()
  process.kill(machine.pid, 'SIGSTOP')
  await machine.close()
  expect(machine.running).toBe(false)
  expect(await machine.exited).toMatchObject({ signal: 'SIGKILL' })
}, 20_000)

test('a QEMU that ends at its start is an error with exit code, command line and log', async () => {
  const error = await launch(await bareOptions({ cpuModel: 'no-such-cpu' })).catch((e) => e)
  expect(error).toMatchObject({ code: 'QEMU_EXITED' })
  expect(error.message).toContain('exit code 1')
  expect(error.message).toContain("unable to find CPU model 'no-such-cpu'")
  expect(error.message).toContain('-cpu no-such-cpu')
})

test('a missing QEMU is told with what to install', async () => {
  const launched = launch(await bareOptions({ binary: 'qemu-system-nowhere' }))
  await expect(launched).rejects.toMatchObject({
    code: 'QEMU_MISSING',
    message: expect.stringContaining('apt-get install qemu-system-x86'),
  })
})

test('a QEMU that cannot be executed is told as missing', async () => {
  const binary = join(await temporaryDirectory(), 'qemu')
  await writeFile(binary, 'not a program', { mode: 0o755 })
  const launched = launch(await bareOptions({ binary }))
  await expect(launched).rejects.toMatchObject({ code: expect.stringMatching(/QEMU_/) })
})

test('a disk that is not there is named', async () => {
  const disks = [{ name: 'root', file: '/no/such.qcow2', format: 'qcow2' as const }]
  await expect(launch(await bareOptions({ disks }))).rejects.toMatchObject({
    code: 'DISK_UNREADABLE',
    message: '/no/such.qcow2 cannot be opened: ENOENT',
  })
})

test('a launch that is cancelled leaves no process', async () => {
  let spawned = 0
  const controller = new AbortController()
  const launched = launch(
    await bareOptions({
      signal: controller.signal,
      onSpawn(pid) {
        spawned = pid
        controller.abort(new Error('enough'))
      },
    }),
  )
  await expect(launched).rejects.toMatchObject({ code: 'ABORTED' })
  expect(processStartTime(spawned)).toBeUndefined()
})

test('a launch that is late leaves no process', async () => {
  let spawned = 0
  const launched = launch(
    await bareOptions({
      timeout: 100,
      async onSpawn(pid) {
        spawned = pid
        process.kill(pid, 'SIGSTOP')
      },
    }),
  )
  await expect(launched).rejects.toMatchObject({ code: 'TIMEOUT' })
  expect(processStartTime(spawned)).toBeUndefined()
})

test('a launch whose pid cannot be registered leaves no process', async () => {
  let spawned = 0
  const launched = launch(
    await bareOptions({
      onSpawn(pid) {
        spawned = pid
        throw new Error('registry is full')
      },
    }),
  )
  await expect(launched).rejects.toThrow('registry is full')
  expect(processStartTime(spawned)).toBeUndefined()
})
