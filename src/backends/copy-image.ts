import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { VmStatesError } from '../params/errors.js'

interface CopyFailure extends Error {
  stderr?: string
}

/**
 * Copies an image, sharing its blocks where the filesystem can (reflinks: btrfs, XFS), else its
 * data without the holes. By `cp`, since `fs.copyFile` writes holes out as zeros.
 *
 * @param to - replaced if it is there
 * @param holes - for `all`, zeros that are not holes yet become such
 * @throws VmStatesError `DISK_FULL`, `ACCESS_DENIED`
 */
export async function copyImage(
  from: string,
  to: string,
  holes: 'same' | 'all' = 'same',
): Promise<void> {
  const sparse = holes === 'all' ? '--sparse=always' : '--sparse=auto'
  const args = ['--reflink=auto', sparse, '--', from, to]
  const env = { ...process.env, LC_ALL: 'C' }
  await promisify(execFile)('cp', args, { env }).catch((cause: CopyFailure) => {
    const said = (cause.stderr ?? '').trim() || cause.message
    const isFull = /No space left|quota exceeded/.test(said)
    const code = isFull ? 'DISK_FULL' : 'ACCESS_DENIED'
    throw new VmStatesError(code, `${from} cannot be copied: ${said}`, { cause })
  })
}
