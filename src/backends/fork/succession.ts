import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deferred } from '../../qemu/deferred.js'
import { fileError } from '../../qemu/file-error.js'
import { undoPrivateChanges } from '../../qemu/host-memory/private-changes.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { loadDeviceState } from '../../qemu/migration/device-state.js'
import { createBlank } from '../../qemu/qemu-img/create.js'
import type { CapturableMachine, PreparedMachine, SavedMemory } from '../backend.js'
import { virtualSizeOf } from '../create-overlays.js'
import { keptPath } from '../keep-disk.js'
import { renewDisks } from './renew-disks.js'

/**
 * A machine that goes on where another one is captured. Its QEMU is started before that, while the other's
 * guest runs: with the other's RAM, mapped privately, and with blank disks.
 */
export class Succession {
  readonly #from: CapturableMachine
  readonly #waiting = deferred<void>()
  readonly #memory = deferred<SavedMemory>()
  readonly #disks = deferred<readonly Disk[]>()

  /** @param from - the machine that is to be captured */
  constructor(from: CapturableMachine) {
    this.#from = from
    this.#memory.promise.catch(() => {})
    this.#disks.promise.catch(() => {})
  }

  /** Until all that can be done before the capture is. */
  get waiting(): Promise<void> {
    return this.#waiting.promise
  }

  /** Gives the machine what the other's devices and RAM were captured as. */
  giveMemory(memory: SavedMemory): void {
    this.#memory.resolve(memory)
  }

  /** Gives it what the other's disks were captured as, which nobody has open any more. */
  giveDisks(disks: readonly Disk[]): void {
    this.#disks.resolve(disks)
  }

  /** Has the start of the machine fail, since there is nothing to go on from. */
  cancel(reason: Error): void {
    this.#memory.reject(reason)
    this.#disks.reject(reason)
  }

  /**
   * @param directory - of the machine's disks, existing and empty
   * @throws VmStatesError `DISK_FULL`, `ACCESS_DENIED`, `QEMU_IMG_FAILED`
   */
  async prepare(directory: string): Promise<PreparedMachine> {
    const { disks, ram } = this.#from
    const incoming = join(directory, 'incoming')
    // QEMU opens it at its start.
    await writeFile(incoming, '', { mode: 0o600 }).catch((error: unknown) => {
      throw fileError(error, incoming)
    })
    const own = await Promise.all(disks.map((disk) => blankLike(disk, directory)))
    return {
      disks: own,
      launch: { ram: ram && { path: ram.path, shared: false }, incoming },
      load: (process) => this.#load(process, own, incoming),
    }
  }

  async #load({ pid, qmp }: MachineProcess, own: Disk[], incoming: string): Promise<void> {
    this.#waiting.resolve()
    const { ram, devices, size } = await this.#memory.promise
    await copyFile(devices, incoming).catch((error: unknown) => {
      throw fileError(error, devices)
    })
    // What this QEMU has written at its start would hide what the other's guest did since.
    if (ram !== undefined) await undoPrivateChanges(pid, ram, size)
    await loadDeviceState(qmp, incoming, { withoutSharedRam: ram !== undefined })
    await renewDisks(qmp, await this.#disks.promise, own)
  }
}

async function blankLike(disk: Disk, directory: string): Promise<Disk> {
  if (disk.readOnly) return disk
  const file = keptPath(disk, directory)
  await createBlank(file, await virtualSizeOf(disk))
  return { ...disk, file, format: 'qcow2' }
}
