import { AgentChannel } from '../../guest/agent/agent-channel.js'
import { exec } from '../../guest/exec/exec.js'
import { GuestError } from '../../guest/guest-error.js'
import type { Architecture } from '../../params/architecture.js'
import { IMAGE_DISK_NAME } from '../../params/drives.js'
import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import type { Accelerator } from '../../qemu/accelerator/accelerator.js'
import { describeExit, type ExitStatus, HOST_DISK_FULL } from '../../qemu/machine/exit-status.js'
import { launch } from '../../qemu/machine/launch.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { createOverlay } from '../../qemu/qemu-img/create.js'
import type { Store } from '../../store/store.js'
import { resolveImage } from '../resolve-image.js'
import { CLOSE_DISK, IN_ROOT, OPEN_DISK, REFUSED } from './scripts.js'

const MEMORY = 256 * 2 ** 20

/** Milliseconds until the small guest answers; it takes 3 s under TCG on a quiet host. */
const BOOT_TIMEOUT = 300_000

/** Milliseconds from one word to its end, of what takes no work. */
const ASK_TIMEOUT = 60_000

/** What opens a disk, and where. */
export interface DiskOpener {
  store: Store
  /** A path of a QEMU, or a name to look up in `PATH`. */
  binary: string
  /** What runs the image's own programs. */
  arch: Architecture
  accelerator: Accelerator
  cpuModel: string
  machineType: string
  /** An existing, empty, private directory. */
  directory: string
  signal?: AbortSignal | undefined
  onSpawn?: ((pid: number) => void | Promise<void>) | undefined
}

/** The root filesystem of a disk, in the small guest's hands. */
export interface OpenedDisk {
  /** What it is called in errors. */
  name: string
  /**
   * Runs a script with the filesystem as `/`, by programs of the small guest's: a program is called as
   * `/dev/busybox tar`. The second disk is `/dev/vdc`.
   *
   * @throws VmStatesError `GUEST_FILE_FAILED` with what the script said before it exited with
   *   {@link REFUSED}; `TOOL_FAILED` for any other failure
   */
  run(script: string, args?: readonly string[]): Promise<void>
}

/**
 * Opens the filesystem of a disk without booting what is on it: the built-in guest mounts it. Neither root
 * nor a program besides QEMU is needed. What is written is on the disk when this returns.
 *
 * @param disk - one that may be written to: the filesystem's journal is, at least
 * @param transfer - a raw file that goes to and fro
 * @throws VmStatesError `IMAGE_UNSUPPORTED` if the guest can mount nothing of it; `TINY_UNAVAILABLE`; `IMAGE_IN_USE` if a
 *   machine writes to it, or to what it stands on; `DISK_FULL`; what `use` throws
 */
export async function withOpenedDisk(
  name: string,
  disk: Disk,
  transfer: Pick<Disk, 'file' | 'readOnly'>,
  opener: DiskOpener,
  use: (disk: OpenedDisk) => Promise<void>,
): Promise<void> {
  const { store, binary, arch, accelerator, cpuModel, machineType, directory } = opener
  const { signal, onSpawn } = opener
  const tiny = await resolveImage({ kind: 'tiny', arch }, store, { signal })
  await using _lease = await store.lease(tiny.objectId as string)
  const system = `${directory}/system.qcow2`
  await createOverlay(system, tiny.disk, { signal })
  await using process = await launch({
    ...{ name: 'files', binary, arch, accelerator, cpuModel, machineType, directory },
    ...{ memory: MEMORY, cpus: 1, network: 'none' as const, extraArgs: [] },
    ...(tiny.directKernel && { directKernel: tiny.directKernel }),
    disks: [
      { name: IMAGE_DISK_NAME, file: system, format: 'qcow2' },
      { ...disk, name: 'opened' },
      { name: 'transfer', format: 'raw', ...transfer },
    ],
    ...(signal && { signal }),
    ...(onSpawn && { onSpawn }),
  }).catch((error: unknown) => {
    throw isInUse(error) ? inUseError(name, error) : error
  })
  const channel = new AgentChannel(process)
  process.exited.then((status) => {
    channel.close(() => endedError(name, directory, status))
  })
  const run = async (script: string, args: readonly string[], timeout?: number) => {
    const words = ['-c', script, 'sh', ...args]
    return await exec(channel, '/bin/sh', words, { reject: false, signal, timeout })
  }
  await channel.connect({ timeout: BOOT_TIMEOUT, ...(signal && { signal }) })
  const opened = await run(OPEN_DISK, [], BOOT_TIMEOUT)
  if (opened.exitCode !== 0) {
    const found = opened.stdout.toString().trim().replaceAll('\n', ', ') || 'nothing that is known'
    throw new VmStatesError('IMAGE_UNSUPPORTED', `nothing on ${name} can be mounted`, {
      hint: `ext2, ext3, ext4, xfs and btrfs can be, in partitions or without. Found: ${found}`,
    })
  }
  await use({
    name,
    async run(script, args = []) {
      const { exitCode, stdout, stderr } = await run(IN_ROOT, [script, ...args])
      if (exitCode === 0) return
      if (exitCode === REFUSED) {
        throw new VmStatesError('GUEST_FILE_FAILED', `${name}: ${stdout.toString().trim()}`)
      }
      const said = stderr.toString().trim() || stdout.toString().trim() || `exit code ${exitCode}`
      throw new VmStatesError('TOOL_FAILED', `${name} cannot be read or written: ${said}`)
    },
  })
  const closed = await run(CLOSE_DISK, [], ASK_TIMEOUT)
  if (closed.exitCode === 0) return
  throw new VmStatesError('TOOL_FAILED', `${name} cannot be unmounted: ${closed.stderr}`)
}

function endedError(name: string, directory: string, status: ExitStatus): GuestError {
  if (status.shutdownReason === HOST_DISK_FULL) {
    const text = `no space is left in ${directory} for what is read from or written to ${name}`
    return new GuestError('DISK_FULL', text, {
      hint: 'Free some space, or put the store on another disk.',
    })
  }
  const text = `the machine that has ${name} open has ended: QEMU ended (${describeExit(status)})`
  return new GuestError('GUEST_GONE', text)
}

function isInUse(error: unknown): boolean {
  return isVmStatesError(error, 'QEMU_EXITED') && /Failed to get .*lock/.test(error.message)
}

function inUseError(name: string, cause: unknown): VmStatesError {
  return new VmStatesError('IMAGE_IN_USE', `${name} is in use by another process`, {
    hint: 'Shut down the machine that runs on it, and try again.',
    cause,
  })
}
