import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CloudInit } from '../../params/cloud-init.js'
import { SEED_DISK_NAME } from '../../params/drives.js'
import { fileError } from '../../qemu/file-error.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import type { Store } from '../../store/store.js'
import { ensureObject } from '../ensure-object.js'
import { isoImage } from './iso.js'
import { seedFiles } from './seed-files.js'

const FILE = 'seed.iso'

/** What stands for a seed in keys: a digest of its content. */
export function seedIdentity(cloudInit: CloudInit): string {
  return createHash('sha256').update(seedImage(cloudInit)).digest('hex')
}

/**
 * The disk that cloud-init finds by its label, made in the store if it is not there.
 *
 * @throws VmStatesError `DISK_FULL`, `ACCESS_DENIED`, `ABORTED`
 */
export async function resolveSeed(
  cloudInit: CloudInit,
  store: Store,
  signal?: AbortSignal,
): Promise<{ disk: Disk; objectId: string }> {
  const make = async (directory: string) => {
    const file = join(directory, FILE)
    await writeFile(file, seedImage(cloudInit)).catch((error: unknown) => {
      throw fileError(error, file)
    })
    return {}
  }
  const key = `image-seed-${seedIdentity(cloudInit)}`
  const { id, directory } = await ensureObject(store, key, make, signal)
  const file = join(directory, FILE)
  return { disk: { name: SEED_DISK_NAME, file, format: 'raw', readOnly: true }, objectId: id }
}

function seedImage(cloudInit: CloudInit): Buffer {
  return isoImage(SEED_DISK_NAME, seedFiles(cloudInit))
}
