import { copyFile } from 'node:fs/promises'
import { fileError } from '../../qemu/file-error.js'
import { leaveOutSharedRam } from '../../qemu/migration/device-state.js'
import { createBlank } from '../../qemu/qemu-img/create.js'
import type { QmpClient } from '../../qemu/qmp/client.js'
import { loadSnapshot, saveSnapshot } from '../live/snapshot.js'

const NODE = 'devices'
const SNAPSHOT = { tag: 'devices', nodes: [NODE], vmstate: NODE }

/** Bytes of the disk in the file, which nobody sees: snapshots lie beside it. */
const DISK_SIZE = 2 ** 20

/**
 * Makes the file for {@link saveDeviceSnapshot}.
 *
 * @param file - absolute path; not there yet
 * @throws VmStatesError `QEMU_IMG_FAILED`
 */
export async function createDeviceSnapshot(file: string): Promise<void> {
  await createBlank(file, DISK_SIZE)
}

/**
 * Writes device state once more, as the one form that QEMU loads while it runs: an internal snapshot, of
 * a disk that no guest has. RAM that is mapped from a shared file is left out.
 *
 * @param file - absolute path of an empty one
 * @throws VmStatesError `QMP_COMMAND_FAILED`, `DISK_FULL`
 */
export async function saveDeviceSnapshot(qmp: QmpClient, file: string): Promise<void> {
  await openNode(qmp, file)
  await leaveOutSharedRam(qmp)
  await saveSnapshot(qmp, SNAPSHOT)
  await qmp.execute('blockdev-del', { 'node-name': NODE })
}

/** The device snapshot of a state, in a machine that was loaded without shared RAM. */
export class DeviceSnapshot {
  readonly #file: string
  readonly #copy: string
  #isOpen = false

  /**
   * @param file - absolute path; stays as it is
   * @param copy - where the machine's own copy goes: QEMU writes to what it loads from
   */
  constructor(file: string, copy: string) {
    this.#file = file
    this.#copy = copy
  }

  /** Resets all devices and loads their state. A stopped machine stays so. */
  async load(qmp: QmpClient): Promise<void> {
    if (!this.#isOpen) {
      await copyFile(this.#file, this.#copy).catch((error: unknown) => {
        throw fileError(error, this.#file)
      })
      await openNode(qmp, this.#copy)
      this.#isOpen = true
    }
    await loadSnapshot(qmp, SNAPSHOT)
  }
}

async function openNode(qmp: QmpClient, filename: string): Promise<void> {
  const cache = { 'no-flush': true }
  const file = { driver: 'file', filename }
  await qmp.execute('blockdev-add', { driver: 'qcow2', 'node-name': NODE, cache, file })
}
