import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ConsoleLink } from '../../src/guest/console/channel/console-link.js'
import { VmControl } from '../../src/guest/vm-control.js'
import { launch } from '../../src/qemu/machine/launch.js'
import type { LaunchOptions } from '../../src/qemu/machine/launch-options.js'
import type { MachineProcess } from '../../src/qemu/machine/machine-process.js'
import { bareOptions } from '../qemu/machine/bare-machine.js'
import { tinyGuest } from '../support/tiny.js'
import { letIn } from './channel/let-in.js'

/** A booted tiny guest with its handle. */
export interface TinyVm extends AsyncDisposable {
  process: MachineProcess
  control: VmControl<'tiny', 'live'>
  vm: VmControl<'tiny', 'live'>['vm']
}

/** Boots the tiny guest on a disk of its own; it answers over the channel. */
export async function bootTiny({
  disks = [],
  channel = 'agent',
  ...changes
}: Partial<LaunchOptions> & { channel?: 'agent' | 'ssh' | 'console' } = {}): Promise<TinyVm> {
  const tiny = await tinyGuest()
  const directory = await mkdtemp(join(tmpdir(), 'vm-states-test-'))
  const file = join(directory, 'disk.qcow2')
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', tiny.disk, file])
  const process = await launch(
    await bareOptions({
      name: 'tiny',
      memory: 256 * 2 ** 20,
      directory,
      directKernel: tiny.directKernel,
      disks: [{ name: 'root', file, format: 'qcow2' }, ...disks],
      ...changes,
    }),
  )
  const control = new VmControl({ machine: 'tiny', liveness: 'live' })
  control.attach(process, 'fresh')
  const dispose = async () => {
    control.release('the test has ended')
    await process.close()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await control.vm.ready()
    if (channel === 'ssh') control.attach(process, 'fresh', await letIn(process))
    if (channel === 'console') control.attach(process, 'fresh', new ConsoleLink(process, {}))
  } catch (error) {
    await dispose()
    throw error
  }
  return { process, control, vm: control.vm, [Symbol.asyncDispose]: dispose }
}

/**
 * Takes a guest back to a snapshot of `savevm`, with what its console had shown by then, and gives a new handle
 * for it that ends with the test.
 */
export async function rewindTiny({ process }: TinyVm, snapshot: string) {
  await process.qmp.humanMonitor('stop')
  await process.qmp.humanMonitor(`loadvm ${snapshot}`)
  process.serial.restart()
  await process.qmp.humanMonitor('cont')
  const control = new VmControl({ machine: 'tiny', liveness: 'live' })
  control.attach(process)
  onTestFinished(() => control.release('the test has ended'))
  return { process, control, vm: control.vm }
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  return promise.then(
    () => {
      throw new Error('it did not reject')
    },
    (error: Error) => error,
  )
}
