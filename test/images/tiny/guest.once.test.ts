import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
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
let directory: string
let machine: MachineProcess | undefined

beforeAll(async () => {
  tiny = await tinyGuest()
})

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tiny-guest-'))
})

afterEach(async () => {
  await machine?.close()
  await rm(directory, { recursive: true, force: true })
})

function launchTiny(changes: Partial<LaunchOptions>): Promise<MachineProcess> {
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

async function bootTiny() {
  const file = join(directory, 'overlay.qcow2')
  await createOverlay(file, { file: tiny.disk, format: 'qcow2' })
  machine = await launchTiny({ disks: [{ name: 'image', file, format: 'qcow2' }] })
  const control = new VmControl({ machine: 'tiny', liveness: 'disk' })
  control.attach(machine)
  return { machine, vm: control.vm, overlay: file }
}

/** Seconds that a process has used of the CPUs; the kernel counts in hundredths. */
async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** What debugfs says about the filesystem on an overlay. */
async function inspect(overlay: string, request: string): Promise<string> {
  const to = join(directory, 'disk.raw')
  await convert({ from: overlay, fromFormat: 'qcow2', to, toFormat: 'raw' })
  const { stdout } = await run('/usr/sbin/debugfs', ['-R', request, to])
  return stdout
}

describe('the tiny guest', () => {
  test('answers its agent within 5 s of power-on under TCG, with 128 MiB', async () => {
    const { machine, vm } = await bootTiny()
    const { stdout } = await vm.$`hostname; whoami; uname -s`
    expect(stdout.trim().split('\n')).toEqual(['tiny', 'root', 'Linux'])
    // QEMU's own time, which other processes of a busy host do not count in; it never sleeps here.
    expect(await cpuSeconds(machine.pid)).toBeLessThan(5)
  })

  test('has a network, the usual programs, and tells on its console that it is ready', async () => {
    const { machine, vm } = await bootTiny()
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

  test.each([
    ['the agent', 'agent'],
    ['the power button', 'button'],
    ['its own poweroff', 'poweroff'],
  ])('shuts down by %s, and leaves its filesystem clean', async (_, means) => {
    const { machine, vm, overlay } = await bootTiny()
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
    const { machine, vm } = await bootTiny()
    await vm.$`true`
    machine.agent.write('{"execute":"guest-shutdown","arguments":{"mode":"reboot"}}\n')
    await machine.qmp.waitForEvent('RESET', { timeout: 30_000 })
    await expect
      .poll(() => readFile(machine.consoleFile, 'utf8'), { timeout: 30_000 })
      .toMatch(new RegExp(`${READY_MARKER}.*${READY_MARKER}`, 's'))
  })

  test('proves with kernel and initramfs alone that Linux runs, and powers off', async () => {
    machine = await launchTiny({ network: 'none' })
    await machine.waitForShutdown({ timeout: 30_000 })
    expect(await readFile(machine.consoleFile, 'utf8')).toContain(KERNEL_MARKER)
  })
})
