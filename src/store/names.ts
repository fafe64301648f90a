import { randomBytes } from 'node:crypto'
import { VmStatesError } from '../params/errors.js'
import { showValue } from '../params/parse.js'

const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/

/** A random name that nothing else has, nor had. */
export function newNonce(): string {
  return randomBytes(12).toString('hex')
}

/**
 * Checks a name that becomes a file's name. By hand, since zod would cost a quick command most of
 * its time.
 *
 * @param what - what is named: `the key of a state`
 * @throws VmStatesError `INVALID_NAME`
 */
export function checkFileName(what: string, name: string): string {
  if (FILE_NAME.test(name)) return name
  throw new VmStatesError(
    'INVALID_NAME',
    `${what} is ${showValue(name)}: at most 200 letters, digits, ".", "_", "-" are allowed, the first a letter or digit`,
  )
}
