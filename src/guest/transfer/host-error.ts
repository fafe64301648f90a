import { isVmStatesError, VmStatesError } from '../../params/errors.js'

/** What a stream ends with when the guest's side lets go of it. */
const LEFT = ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE']

/** What the reader of an archive says of one that is broken off. */
const BROKEN_OFF = 'Unexpected end of data'

/** What somebody's own function threw, which is told as it is. */
export class CallerFailure extends Error {
  /** @param thrown - by the function */
  constructor(readonly thrown: unknown) {
    super('a function of the caller has failed')
  }
}

/** Whether the host's side of a transfer has ended since the guest's did, which says why. */
export function isLeft(error: unknown): boolean {
  const { code = '', message } = error as NodeJS.ErrnoException
  return LEFT.includes(code) || message === BROKEN_OFF
}

/** A failure of the host's side of a transfer as an error of ours. */
export function hostError(error: unknown, verb: 'read' | 'written', path: string): unknown {
  if (error instanceof CallerFailure) return error.thrown
  if (isVmStatesError(error) || isLeft(error)) return error
  const { message } = error as Error
  const text = `${path} on the host cannot be ${verb}: ${message}`
  return new VmStatesError('HOST_FILE_FAILED', text, { cause: error })
}
