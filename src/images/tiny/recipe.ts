import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** Raised when what the recipe makes changes, so that states on the older guest are built anew. */
const RECIPE_VERSION = 1

/** Parameters that the guest's kernel is started with. */
export const KERNEL_PARAMETERS = 'console=ttyS0 quiet'

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
export async function tinyIdentity(): Promise<string> {
  const os = await readOsRelease()
  const recipe = {
    version: RECIPE_VERSION,
    architecture: process.arch,
    distribution: os.get('ID') ?? 'unknown',
    release: os.get('VERSION_CODENAME') ?? os.get('VERSION_ID') ?? 'unknown',
  }
  return createHash('sha256').update(JSON.stringify(recipe)).digest('hex')
}
