import { AgentRefusal } from '../agent/refusal.js'
import { GuestError } from '../guest-error.js'

/** The error of a file operation in the guest. */
export function fileError(verb: 'read' | 'written', path: string, reason: string): GuestError {
  return new GuestError('GUEST_FILE_FAILED', `${path} in the guest cannot be ${verb}: ${reason}`)
}

/** An agent's refusal to open or read a file, in the words of one who wanted the file. */
export function readError(path: string, error: unknown): unknown {
  if (!(error instanceof AgentRefusal) || error.hint !== undefined) return error
  const reason = error.description.replace(/^failed to [^:]*'[^:]*: /, '')
  return fileError('read', path, reason)
}
