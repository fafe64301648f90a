import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { type ResolvedImage, resolveImage } from '../../src/images/resolve-image.js'
import type { DirectKernel } from '../../src/qemu/machine/launch-options.js'
import { openStore } from '../../src/store/store.js'

/** The tiny guest for tests: never write to its files, put an overlay on the disk. */
export interface TinyGuest {
  /** A qcow2 file. */
  disk: string
  directKernel: DirectKernel
}

/** The root of a store that all tests of this user share; it outlives them. */
function sharedStoreRoot(): string {
  return join(tmpdir(), `vm-states-test-${userInfo().uid}`, 'store')
}

/** The built-in guest, built by the first test that asks and kept for all others of this user. */
export async function tinyGuest(): Promise<TinyGuest> {
  await using store = await openStore(sharedStoreRoot())
  const { disk, directKernel }: ResolvedImage = await resolveImage({ kind: 'tiny' }, store)
  if (directKernel === undefined) throw new Error('the tiny guest has a kernel of its own')
  return { disk: disk.file, directKernel }
}
