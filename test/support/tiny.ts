import { type ResolvedImage, resolveImage } from '../../src/images/resolve-image.js'
import type { Architecture } from '../../src/params/architecture.js'
import type { DirectKernel } from '../../src/qemu/machine/launch-options.js'
import { openStore } from '../../src/store/store.js'
import { sharedStoreRoot } from './shared-store.js'

/** The tiny guest for tests: never write to its files, put an overlay on the disk. */
export interface TinyGuest {
  /** A qcow2 file. */
  disk: string
  directKernel: DirectKernel
}

/** The built-in guest, built by the first test that asks and kept for all others of this user. */
export async function tinyGuest(arch: Architecture = 'x86_64'): Promise<TinyGuest> {
  await using store = await openStore(sharedStoreRoot())
  const { disk, directKernel }: ResolvedImage = await resolveImage({ kind: 'tiny', arch }, store)
  if (directKernel === undefined) throw new Error('the tiny guest has a kernel of its own')
  return { disk: disk.file, directKernel }
}
