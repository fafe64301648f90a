import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureObject } from '../../../src/images/ensure-object.js'
import { image } from '../../../src/images/image.js'
import type { ImageInput } from '../../../src/params/image.js'
import { openStore } from '../../../src/store/store.js'
import { sharedStoreRoot } from '../shared-store.js'
import { makeBootDisk } from './boot-disk.js'
import { CONFIGURE, guestFiles } from './guest-files.js'
import { KEPT, LEFT_OUT, PACKAGES, RELEASE } from './packages.js'
import { makeRootArchive } from './root-archive.js'

/** Raised when the disk changes in a way that the recipe's lists do not show. */
const RECIPE_VERSION = 1

const DISK = 'debian.qcow2'

/** What stands for the guest in the store. The packages' versions are not part of it. */
function recipeKey(): string {
  const recipe = [RECIPE_VERSION, RELEASE, PACKAGES, LEFT_OUT, KEPT, guestFiles, CONFIGURE]
  return createHash('sha256').update(JSON.stringify(recipe)).digest('hex')
}

async function buildDebian(directory: string): Promise<void> {
  const work = await mkdtemp(join(directory, '.work-'))
  try {
    await makeBootDisk(await makeRootArchive(work), work, join(directory, DISK))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/**
 * A Debian 12 guest with systemd, a network, sshd, cloud-init and the QEMU guest agent, which boots
 * by itself. Root has no password on the console. Built from the distribution's packages by the
 * first test that asks, in minutes, and kept for all others of this user; never write to it.
 */
export async function debianImage(): Promise<ImageInput> {
  return image.file(await debianDisk())
}

/** The path of its disk. */
export async function debianDisk(): Promise<string> {
  await using store = await openStore(sharedStoreRoot())
  const { directory } = await ensureObject(store, `test-debian-${recipeKey()}`, buildDebian)
  return join(directory, DISK)
}
