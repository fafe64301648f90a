import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { VmControl } from '../../../src/guest/vm-control.js'
import { KERNEL_MARKER, READY_MARKER } from '../../../src/images/tiny/guest-files.js'
import { launch } from '../../../src/qemu/machine/launch.js'
import type { LaunchOptions } from '../../../src/qemu/machine/launch-options.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'
import { convert } from '../../../src/qemu/qemu-img/convert.js'
import { createOverlay } from '../../../src/qemu/qemu-img/create.js'
import { type TinyGuest, tinyGuest } from '../../support/tiny.js'

const run = promisify(execFile)

let tiny: TinyGuest

beforeAll(async () => {
  tiny = await tinyGuest()
})

async function makeDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'tiny-guest-'))
}

function launchTiny(
  directory: string,
  changes: Partial<LaunchOptions> = {},
): Promise<MachineProcess> {
  return launch({
    name: 'tiny',
    binary: 'qemu-system-x86_64',
    accelerator: 'tcg',
    cpuModel: 'Nehalem',
    machineType: 'q35',
    cpus: 1,
    memory: 128 * 2 ** 20,
    network: 'nat',
    extraArgs: [],
    directory,
    disks: [],
    directKernel: tiny.directKernel,
    ...changes,
  })
}

async function bootTiny(directory: string) {
  const overlay = join(directory, 'overlay.qcow2')
  await createOverlay(overlay, { file: tiny.disk, format: 'qcow2' })
  const disks = [{ name: 'image', file: overlay, format: 'qcow2' as const }]
  const machine = await launchTiny(directory, { disks })
  const control = new VmControl({ machine: 'tiny', liveness: 'disk' })
  control.attach(machine)
  return { machine, vm: control.vm, overlay }
}

/** What debugfs says about the filesystem on an overlay. */
async function inspect(overlay: string, request: string): Promise<string> {
  const to = `${overlay}.raw`
  await convert({ from: overlay, fromFormat: 'qcow2', to, toFormat: 'raw' })
  const { stdout } = await run('/usr/sbin/debugfs', ['-R', request, to])
  return stdout
}

describe('the tiny guest, once it is up,', () => {
  let directory: string
  let booted: Awaited<ReturnType<typeof bootTiny>>
  let answer: string
  beforeAll(async () => {
    directory = await makeDirectory()
    booted = await bootTiny(directory)
    answer = (await booted.vm.$`hostname; whoami; uname -s`).stdout
  })
  afterAll(async () => {
    await booted.machine.close()
    await rm(directory, { recursive: true, force: true })
  })

  test('has answered its agent, with 128 MiB', () => {
    expect(answer.trim().split('\n')).toEqual(['tiny', 'root', 'Linux'])
  })

  test('has a network, the usual programs, and tells on its console that it is ready', async () => {
    const { machine, vm } = booted
    await vm.$`mkdir -p /srv/www && echo hello >/srv/www/index.html && httpd -p 80 -h /srv/www`
    const forward = await machine.forwardPort(80)
    await expect
      .poll(() => fetch(`http://127.0.0.1:${forward.hostPort}/`).then((answer) => answer.text()), {
        timeout: 10_000,
      })
      .toBe('hello\n')
    const { stdout } = await vm.$`ip route; stat -c %U:%G /etc/passwd /bin/busybox /tmp; date +%Y`
    expect(stdout).toContain('default via 10.0.2.2 dev eth0')
    expect(stdout).toContain('root:root\nroot:root\nroot:root\n')
    expect(stdout).toContain(String(new Date().getUTCFullYear()))
    const text = await readFile(machine.consoleFile, 'utf8')
    expect(text).toContain(KERNEL_MARKER)
    expect(text).toContain(READY_MARKER)
  })

  test('has a shutdown that is not ended by the signal to all that it brings about', async () => {
    const { exitCode } = await booted.vm.$({ reject: false })`
      mv /sbin/poweroff /sbin/poweroff.away
      printf '#!/bin/sh\nkill -TERM $$\n' >/sbin/poweroff
      chmod +x /sbin/poweroff
      /sbin/shutdown -P +0
      code=$?
      mv /sbin/poweroff.away /sbin/poweroff
      exit $code`
    expect(exitCode).toBe(0)
  })
})

describe('the tiny guest', () => {
  let directory: string
  let machine: MachineProcess | undefined
  beforeEach(async () => {
    directory = await makeDirectory()
  })
  afterEach(async () => {
    await machine?.close()
    await rm(directory, { recursive: true, force: true })
  })

  async function boot() {
    const booted = await bootTiny(directory)
    machine = booted.machine
    return booted
  }

  test.each([
    ['the agent', 'agent'],
    ['the power button', 'button'],
    ['its own poweroff', 'poweroff'],
  ])('shuts down by %s, and leaves its filesystem clean', async (_, means) => {
    const { machine, vm, overlay } = await boot()
    await vm.$`echo kept >/srv/kept`
    await expect
      .poll(() => readFile(machine.consoleFile, 'utf8'), { timeout: 30_000 })
      .toContain(READY_MARKER)
    // The button works once its listener runs.
    await vm.$`while ! pidof acpid; do sleep 0.05; done`
    if (means === 'button') await machine.powerButton()
    else if (means === 'poweroff') await vm.$`(sleep 0.5; poweroff) >/dev/null 2>&1 &`
    else machine.agent.write('{"execute":"guest-shutdown"}\n')
    await machine.waitForShutdown({ timeout: 30_000 })
    expect(await inspect(overlay, 'cat /srv/kept')).toBe('kept\n')
    const superblock = await inspect(overlay, 'stats -h')
    expect(superblock).toMatch(/Filesystem state: +clean\n/)
    expect(superblock).not.toContain('needs_recovery')
  })

  test('comes back after a reboot', async () => {
    const { machine, vm } = await boot()
    await vm.$`true`
    machine.agent.write('{"execute":"guest-shutdown","arguments":{"mode":"reboot"}}\n')
    await machine.qmp.waitForEvent('RESET', { timeout: 30_000 })
    await expect
      .poll(() => readFile(machine.consoleFile, 'utf8'), { timeout: 120_000 })
      .toMatch(new RegExp(`${READY_MARKER}.*${READY_MARKER}`, 's'))
  })

  test('proves with kernel and initramfs alone that Linux runs, and powers off', async () => {
    machine = await launchTiny(directory, { network: 'none' })
    await machine.waitForShutdown({ timeout: 30_000 })
    expect(await readFile(machine.consoleFile, 'utf8')).toContain(KERNEL_MARKER)
  })
})
