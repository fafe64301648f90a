import type { Store } from '../../store/store.js'
import { identifyChain } from '../identify-image.js'
import type { FirmwareTarget } from './descriptor.js'
import { findFirmware } from './find-firmware.js'

/**
 * What stands for the UEFI firmware of a machine type in keys: a digest of its code and of its
 * variables as they come.
 *
 * @throws VmStatesError `FIRMWARE_MISSING`, `ACCESS_DENIED`
 */
export async function identifyFirmware(
  machine: FirmwareTarget,
  store: Store,
  signal?: AbortSignal,
): Promise<string> {
  const { code, variables } = await findFirmware(machine)
  return await identifyChain([code, variables], store, signal)
}
