import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Architecture } from '../../params/architecture.js'
import { EARLY_MODULES, FILESYSTEM_MODULES, guestFiles, INITRAMFS_INIT } from './guest-files.js'
import { kernelParameters, PLATFORMS } from './platform.js'

/** Raised when the guest changes in a way that the files and parameters below do not show. */
const RECIPE_VERSION = 4

/** Fields of the host's os-release file, without quotes. */
async function readOsRelease(): Promise<Map<string, string>> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const lines = text.split('\n').flatMap((line) => {
    const match = /^([A-Z_]+)=["']?(.*?)["']?$/.exec(line)
    return match === null ? [] : [[match[1] ?? '', match[2] ?? ''] as const]
  })
  return new Map(lines)
}

/**
 * What stands for the built-in guest in keys: a hash of how it is made on this host. Its bytes
 * differ from build to build, since `mke2fs -d` is not reproducible.
 */
export async function tinyIdentity(arch: Architecture): Promise<string> {
  const os = await readOsRelease()
  const recipe = {
    version: RECIPE_VERSION,
    architecture: arch,
    distribution: os.get('ID') ?? 'unknown',
    release: os.get('VERSION_CODENAME') ?? os.get('VERSION_ID') ?? 'unknown',
    content: [
      kernelParameters(arch),
      INITRAMFS_INIT,
      EARLY_MODULES,
      FILESYSTEM_MODULES,
      PLATFORMS[arch],
      guestFiles(arch),
    ],
  }
  return createHash('sha256').update(JSON.stringify(recipe)).digest('hex')
}
