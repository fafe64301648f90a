import type { Architecture } from '../../params/architecture.js'
import { isVmStatesError } from '../../params/errors.js'
import { type AcceleratorChoice, chooseAccelerator } from '../../qemu/accelerator/choose.js'
import type { DirectKernel } from '../../qemu/machine/launch-options.js'
import { qemuVersion } from '../../qemu/version.js'
import type { Store } from '../../store/store.js'

/** The QEMU that runs a machine, how, and why so. */
export interface Emulator extends AcceleratorChoice {
  /** Such as `7.2.22`. */
  version: string
  /** A path, or a name to look up in `PATH`. */
  binary: string
}

/** QEMU's words for Node's. */
const HOST_ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: 'x86_64',
  arm64: 'aarch64',
}

/**
 * Finds out about a QEMU binary. Where KVM looks usable and was not proven yet, the kernel of the
 * tiny guest proves it; where that guest cannot be had, code is translated.
 *
 * @param directory - makes a directory for that boot
 * @throws VmStatesError `QEMU_MISSING`
 */
export async function emulatorOf(
  { arch, binary, cpuModel }: { arch: Architecture; binary: string; cpuModel: string },
  { store, directory }: { store: Store; directory: () => Promise<string> },
): Promise<Emulator> {
  const version = await qemuVersion(binary)
  if (arch !== HOST_ARCHITECTURES[process.arch]) {
    const reason = `TCG, since this host is not ${arch}`
    return { version, binary, accelerator: 'tcg', reason }
  }
  try {
    const guest = () => tinyKernel(store)
    return { version, binary, ...(await chooseAccelerator({ binary, cpuModel, guest, directory })) }
  } catch (error) {
    if (!isVmStatesError(error, 'TINY_UNAVAILABLE')) throw error
    const reason = 'TCG, since there is no small guest here to try KVM with'
    return { version, binary, accelerator: 'tcg', reason }
  }
}

async function tinyKernel(store: Store): Promise<DirectKernel> {
  // Loaded here, since what only looks at states needs no code that makes images.
  const { resolveImage } = await import('../../images/resolve-image.js')
  const { directKernel } = await resolveImage({ kind: 'tiny', arch: 'x86_64' }, store)
  if (directKernel === undefined) throw new TypeError('the tiny guest boots by its kernel')
  return directKernel
}
