import { isVmStatesError, VmStatesError } from '../../params/errors.js'

/** What a stream ends with when the guest's side lets go of it. */
const LEFT = ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE']

/** Whether the host's side of a transfer has ended since the guest's did, which says why. */
export function isLeft(error: unknown): boolean {
  return LEFT.includes((error as NodeJS.ErrnoException).code ?? '')
}

/** A failure of the host's side of a transfer as an error of ours. */
export function hostError(error: unknown, verb: 'read' | 'written', path: string): unknown {
  if (isVmStatesError(error) || isLeft(error)) return error
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined && !/not a valid/.test(message)) return error
  return new VmStatesError(
    'HOST_FILE_FAILED',
    `${path} on the host cannot be ${verb}: ${message}`,
    {
      cause: error,
    },
  )
}
