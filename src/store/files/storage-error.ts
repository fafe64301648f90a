import type { ErrorCode } from '../../params/error-codes.js'
import { VmStatesError } from '../../params/errors.js'

const meanings: Record<string, { code: ErrorCode; text: string; hint: string }> = {
  ENOSPC: {
    code: 'DISK_FULL',
    text: 'the disk is full',
    hint: 'Free some space, or put the store on another disk.',
  },
  EDQUOT: {
    code: 'DISK_FULL',
    text: 'the disk quota is used up',
    hint: 'Free some space, or put the store on another disk.',
  },
  EACCES: {
    code: 'ACCESS_DENIED',
    text: 'permission denied',
    hint: 'Use a store in a directory that you may write to.',
  },
  EPERM: {
    code: 'ACCESS_DENIED',
    text: 'operation not permitted',
    hint: 'Use a store in a directory that you may write to.',
  },
  EROFS: {
    code: 'ACCESS_DENIED',
    text: 'the file system is read-only',
    hint: 'Use a store in a directory that you may write to.',
  },
  ENOTDIR: {
    code: 'STORE_UNUSABLE',
    text: 'a part of the path is not a directory',
    hint: 'Use a store whose path is a directory, or does not exist yet.',
  },
}

/** The code of an error of the operating system, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  // Not by `instanceof`: in Vitest's VM pools Node's errors come from another realm.
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/**
 * Runs something that reads or writes the store, and turns an error of the operating system that a
 * user can mend into one that says how.
 *
 * @param path - named in the error unless the operating system's own error names one
 * @throws VmStatesError `DISK_FULL`, `ACCESS_DENIED` or `STORE_UNUSABLE`
 */
export async function inStore<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    const meaning = meanings[systemCode(error) ?? '']
    if (meaning === undefined) throw error
    const { syscall, path: named = path } = error as NodeJS.ErrnoException
    // Of a symbolic link, it is the text of the link.
    const place = syscall === 'symlink' ? path : named
    const { code, text, hint } = meaning
    throw new VmStatesError(code, `the store cannot be used at ${place}: ${text}`, {
      hint,
      cause: error,
    })
  }
}

/** Awaits a value, or `undefined` where the file is missing. */
export async function unlessMissing<T>(pending: Promise<T>): Promise<T | undefined> {
  try {
    return await pending
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
