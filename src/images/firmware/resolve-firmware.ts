import { join } from 'node:path'
import { convert } from '../../qemu/qemu-img/convert.js'
import type { Store } from '../../store/store.js'
import type { ChainLink } from '../backing-chain.js'
import { ensureObject } from '../ensure-object.js'
import { identifyChain } from '../identify-image.js'
import type { FirmwareTarget } from './descriptor.js'
import { findFirmware } from './find-firmware.js'

/** UEFI firmware in the store. Its files must never be written to. */
export interface ResolvedFirmware {
  /** Absolute path, a raw file. */
  code: string
  /** What the variables of every machine stand on. */
  variables: { file: string; format: 'qcow2' }
  /** The store's object that holds them. */
  objectId: string
}

/**
 * Copies the UEFI firmware for a machine type into the store if it is not there: states go on with
 * the code that they were made with when the host's is updated, and variables that are to be saved
 * have to be in qcow2.
 *
 * @throws VmStatesError `FIRMWARE_MISSING`, `DISK_FULL`, `ACCESS_DENIED`, `ABORTED`
 */
export async function resolveFirmware(
  machine: FirmwareTarget,
  store: Store,
  signal?: AbortSignal,
): Promise<ResolvedFirmware> {
  const { code, variables } = await findFirmware(machine)
  const identity = await identifyChain([code, variables], store, signal)
  const make = async (directory: string) => {
    await copy(code, join(directory, CODE), 'raw', signal)
    await copy(variables, join(directory, VARIABLES), 'qcow2', signal)
    return {}
  }
  const key = `image-uefi-${identity.replace(':', '-')}`
  const { id, directory } = await ensureObject(store, key, make, signal)
  return {
    code: join(directory, CODE),
    variables: { file: join(directory, VARIABLES), format: 'qcow2' },
    objectId: id,
  }
}

const CODE = 'code.fd'
const VARIABLES = 'variables.qcow2'

async function copy(
  { file, format }: ChainLink,
  to: string,
  toFormat: 'raw' | 'qcow2',
  signal: AbortSignal | undefined,
): Promise<void> {
  await convert({ from: file, fromFormat: format, to, toFormat }, { signal })
}
