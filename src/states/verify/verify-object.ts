import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hashFile } from '../../images/hash-file.js'
import { isVmStatesError } from '../../params/errors.js'
import { check } from '../../qemu/qemu-img/check.js'
import { systemCode } from '../../store/files/storage-error.js'
import type { ObjectFile, StoredObject } from '../../store/objects/manifest.js'
import { keepDigests, readDigests } from './digests.js'

/** What is wrong with an object; nothing if it is sound. */
export interface Verdict {
  damages: readonly string[]
  /** Whether its digests were kept now, so that changes from before cannot be told. */
  isFirst: boolean
}

/**
 * Reads every file of an object: sizes against the manifest, qcow2 files by `qemu-img check`, and the
 * content against the digests that were kept when it was first verified. If it never was, and nothing
 * is wrong, they are kept now.
 *
 * @throws VmStatesError `QEMU_IMG_MISSING`, `ABORTED`
 */
export async function verifyObject(object: StoredObject, signal?: AbortSignal): Promise<Verdict> {
  const { directory, manifest } = object
  const known = await readDigests(directory)
  const damages = known === 'unreadable' ? ['its digests cannot be read'] : []
  const digests: Record<string, string> = {}
  for (const file of manifest.files) {
    const { digest, damage } = await readWhole(directory, file, signal)
    const kept = typeof known === 'object' ? known[file.name] : undefined
    if (damage !== undefined) damages.push(`${file.name} ${damage}`)
    else if (kept !== undefined && kept !== digest) damages.push(`${file.name} has changed`)
    if (digest !== undefined) digests[file.name] = digest
  }
  const isFirst = known === undefined && damages.length === 0
  if (isFirst) await keepDigests(directory, digests)
  return { damages, isFirst }
}

async function readWhole(
  directory: string,
  { name, size }: ObjectFile,
  signal: AbortSignal | undefined,
): Promise<{ digest?: string; damage?: string }> {
  const path = join(directory, name)
  try {
    const now = (await stat(path)).size
    if (now !== size) return { damage: `has ${now} bytes instead of ${size}` }
    if (name.endsWith('.qcow2')) await check(path, { signal })
    return { digest: await hashFile(path, signal) }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { damage: 'is missing' }
    if (systemCode(error) === 'EIO') return { damage: 'cannot be read from the disk' }
    if (isVmStatesError(error, 'IMAGE_DAMAGED')) return { damage: 'fails qemu-img check' }
    throw error
  }
}
