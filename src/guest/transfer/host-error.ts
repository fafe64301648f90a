import { isVmStatesError, VmStatesError } from '../../params/errors.js'

/** A failure of the host's side of a transfer as an error of ours. */
export function hostError(error: unknown, verb: 'read' | 'written', path: string): unknown {
  if (isVmStatesError(error)) return error
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
