import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDirectory } from '../params/cache-directory.js'
import { writeAtomically } from '../store/files/write-atomically.js'

/**
 * Finds something out about this host once, and remembers it in the user's cache directory. A
 * record that cannot be read or kept costs the finding out again, nothing else.
 *
 * @param kind - what is found out; the record's file is called so
 * @param circumstances - everything that the answer depends on; another text, another answer
 */
export async function hostFact(
  kind: string,
  circumstances: string,
  findOut: () => Promise<string>,
): Promise<string> {
  const digest = createHash('sha256').update(circumstances).digest('hex').slice(0, 16)
  const directory = join(cacheDirectory(), 'host')
  const file = join(directory, `${kind}-${digest}`)
  const known = await readFile(file, 'utf8').catch(() => undefined)
  if (known !== undefined) return known
  const found = await findOut()
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await writeAtomically(file, found, { replace: true, durable: false })
  } catch {
    // A full disk or a read-only home: the answer stands all the same.
  }
  return found
}
