import type { ErrorCode } from '../params/error-codes.js'
import { VmStatesError } from '../params/errors.js'
import { systemCode } from '../store/files/storage-error.js'

const MEANINGS: Record<string, readonly [ErrorCode, string]> = {
  ENOENT: ['IMAGE_MISSING', 'does not exist'],
  ENOTDIR: ['IMAGE_MISSING', 'does not exist'],
  ENAMETOOLONG: ['INVALID_NAME', 'would get a file beside it whose name is too long'],
  EISDIR: ['IMAGE_NOT_QCOW2', 'is a directory'],
  EACCES: ['ACCESS_DENIED', 'is not accessible for this user'],
  EPERM: ['ACCESS_DENIED', 'is not accessible for this user'],
  EROFS: ['ACCESS_DENIED', 'is on a read-only filesystem'],
  ENOSPC: ['DISK_FULL', 'cannot be written: no space is left on the device'],
  EDQUOT: ['DISK_FULL', 'cannot be written: the disk quota is used up'],
}

/**
 * A failed file operation on an image as an error of ours; anything else is returned as it is.
 *
 * @param file - the path as its user knows it
 */
export function fileError(error: unknown, file: string): unknown {
  const code = systemCode(error)
  const meaning = code === undefined ? undefined : MEANINGS[code]
  return meaning === undefined
    ? error
    : new VmStatesError(meaning[0], `${file} ${meaning[1]}`, { cause: error })
}
