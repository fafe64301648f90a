import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseFields } from '../../store/files/parse-json.js'
import { inStore, unlessMissing } from '../../store/files/storage-error.js'
import { writeAtomically } from '../../store/files/write-atomically.js'
import { reapUnfinished } from '../../store/reap.js'

/** The sha256 of each file of an object, by its name there. */
export type Digests = Readonly<Record<string, string>>

/** Beside the object's files, since the manifest never changes. */
const DIGESTS_FILE = 'digests.json'

/**
 * The digests that were kept when an object was first verified.
 *
 * @returns undefined if it never was, `unreadable` if the file is not what was written
 */
export async function readDigests(directory: string): Promise<Digests | undefined | 'unreadable'> {
  const text = await unlessMissing(readFile(join(directory, DIGESTS_FILE), 'utf8'))
  if (text === undefined) return undefined
  const digests = Object.entries(parseFields(text))
  const isDigest = ([, digest]: [string, unknown]) =>
    typeof digest === 'string' && /^[0-9a-f]{64}$/.test(digest)
  return digests.length > 0 && digests.every(isDigest)
    ? (Object.fromEntries(digests) as Digests)
    : 'unreadable'
}

/**
 * Keeps the digests of an object; those that another process has kept meanwhile stay.
 *
 * @throws VmStatesError `DISK_FULL`, `ACCESS_DENIED`
 */
export async function keepDigests(directory: string, digests: Digests): Promise<void> {
  await inStore(directory, async () => {
    await reapUnfinished(directory)
    await writeAtomically(join(directory, DIGESTS_FILE), JSON.stringify(digests), {
      replace: false,
      durable: false,
    })
  })
}
