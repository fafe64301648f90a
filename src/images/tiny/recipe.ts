import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { EARLY_MODULES, guestFiles, INITRAMFS_INIT, LATE_MODULES } from './guest-files.js'

/** Raised when the guest changes in a way that the files and parameters below do not show. */
const RECIPE_VERSION = 3

/**
 * Parameters that the guest's kernel is started with. Its self-tests, mitigations and security
 * modules, and what it patches for several CPUs, would take a third of the boot under TCG. Its check
 * of timers hangs where the host is too busy to answer in time, and what it then takes for the speed of the time
 * stamp counter may be a fifth of it: docs/decisions/191-the-tiny-guest-does-without-the-tsc.md.
 */
export const KERNEL_PARAMETERS =
  'console=ttyS0 quiet nokaslr mitigations=off lsm= notsc cryptomgr.notests noreplace-smp ' +
  'no_timer_check'

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
    content: [KERNEL_PARAMETERS, INITRAMFS_INIT, EARLY_MODULES, LATE_MODULES, guestFiles],
  }
  return createHash('sha256').update(JSON.stringify(recipe)).digest('hex')
}
