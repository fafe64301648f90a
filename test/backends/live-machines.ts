import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { PreparedMachine, Purpose, StateFiles } from '../../src/backends/backend.js'
import { forkBackend } from '../../src/backends/fork/graph.js'
import { writableDisks } from '../../src/backends/live/disk-snapshot.js'
import { liveBackend } from '../../src/backends/live/graph.js'
import { blockNode } from '../../src/qemu/machine/block-node.js'
import { launch } from '../../src/qemu/machine/launch.js'
import type { Disk, LaunchOptions } from '../../src/qemu/machine/launch-options.js'
import type { MachineProcess } from '../../src/qemu/machine/machine-process.js'
import { bareOptions } from '../qemu/machine/bare-machine.js'

/** Makes a directory `root/name`, and gives its path. */
export async function directoryIn(root: string, name: string): Promise<string> {
  const directory = join(root, name)
  await mkdir(directory)
  return directory
}

/** A disk state, with two disks unless told, in `root/base`, and overlays on it in `root/work`. */
export async function overlayDisks(
  root: string,
  names: readonly string[] = ['image', 'data'],
): Promise<Disk[]> {
  const [base, work] = [await directoryIn(root, 'base'), await directoryIn(root, 'work')]
  return names.map((name) => {
    const [backing, file] = [join(base, `${name}.qcow2`), join(work, `${name}.qcow2`)]
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', backing, '16M'])
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', backing, file])
    return { name, file, format: 'qcow2' as const }
  })
}

export async function launchOn(
  disks: readonly Disk[],
  changes: Partial<LaunchOptions> = {},
): Promise<MachineProcess> {
  const process = await launch(await bareOptions({ disks, ...changes }))
  onTestFinished(() => process.close())
  return process
}

export interface InHand {
  process: MachineProcess
  prepared: PreparedMachine
}

/** A machine in a live state, with its own copies in `root/name`. */
export async function startFrom(
  state: StateFiles,
  purpose: Purpose,
  root: string,
  name: string,
): Promise<InHand> {
  const { prepare } = state.backend === 'fork' ? forkBackend : liveBackend
  const prepared = await prepare(state, purpose, await directoryIn(root, name))
  const process = await launchOn(prepared.disks, { paused: true, ...prepared.launch })
  await prepared.load(process)
  await process.qmp.execute('cont')
  return { process, prepared }
}

/** A command of qemu-io on a disk, as if the guest had given it. */
async function guestIo({ qmp }: MachineProcess, disk: Disk, command: string): Promise<void> {
  const devices = (await qmp.execute('query-block')) as {
    qdev: string
    inserted?: { 'node-name': string }
  }[]
  const device = devices.find(({ inserted }) => inserted?.['node-name'] === blockNode(disk))
  const text = await qmp.humanMonitor(`qemu-io -d ${device?.qdev} "${command}"`)
  if (text !== '') throw new Error(text)
}

/** Does something while the guest, which uses the same ports, is stopped. */
async function whileStopped<T>(process: MachineProcess, action: () => Promise<T>): Promise<T> {
  const wasRunning = await isRunning(process)
  await process.qmp.execute('stop')
  const result = await action()
  if (wasRunning) await process.qmp.execute('cont')
  return result
}

/** Writes what the test can recognise: to each writable disk, and to the battery-backed RAM of the clock. */
export async function write(process: MachineProcess, byte: number): Promise<void> {
  for (const disk of writableDisks(process.options.disks)) {
    await guestIo(process, disk, `write -P ${byte} 0 64k`)
  }
  await whileStopped(process, async () => {
    await process.qmp.humanMonitor('o /b 0x70 0x50')
    await process.qmp.humanMonitor(`o /b 0x71 ${byte}`)
  })
}

/** What was written last: to each writable disk, and to the device. */
export async function read(process: MachineProcess): Promise<number[]> {
  const bytes: number[] = []
  for (const disk of writableDisks(process.options.disks)) {
    await guestIo(process, disk, 'flush')
    const args = ['-r', '-U', '-f', 'qcow2', '-c', 'read -v 0 512', disk.file]
    const dump = execFileSync('qemu-io', args, { encoding: 'utf8' })
    bytes.push(Number.parseInt(/^00000000:\s+([0-9a-f]{2})/m.exec(dump)?.[1] ?? '', 16))
  }
  const device = await whileStopped(process, async () => {
    await process.qmp.humanMonitor('o /b 0x70 0x50')
    return process.qmp.humanMonitor('i /b 0x71')
  })
  return [...bytes, Number.parseInt(/0x([0-9a-f]+)\s*$/.exec(device)?.[1] ?? '', 16)]
}

export async function isRunning({ qmp }: MachineProcess): Promise<boolean> {
  return ((await qmp.execute('query-status')) as { running: boolean }).running
}
