import type { ProgramStatus } from '../channel/channel.js'
import type { GuestError } from '../guest-error.js'
import { fileError } from './file-error.js'

/** The error of a file that `cat` could not read: what it says after the last colon, or how it ended. */
export function catError(path: string, { exitCode, signal, stderr }: ProgramStatus): GuestError {
  const said = stderr.toString().trim()
  const reason = said.slice(said.lastIndexOf(': ') + 1).trim()
  return fileError('read', path, reason || `exit code ${exitCode ?? signal}`)
}
