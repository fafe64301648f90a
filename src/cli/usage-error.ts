import { VmStatesError } from '../params/errors.js'

/** Commander throws these where it would otherwise end the process. */
interface CommanderFailure extends Error {
  code: `commander.${string}`
}

function isCommanderFailure(error: unknown): error is CommanderFailure {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('commander.')
  )
}

/** Whether a help text or the version was asked for, and printed. */
export function isHelp(error: unknown): boolean {
  return (
    isCommanderFailure(error) &&
    ['commander.helpDisplayed', 'commander.version'].includes(error.code)
  )
}

/** Bad usage as one of our errors; any other error as it is. */
export function asUsageError(error: unknown): unknown {
  if (!isCommanderFailure(error)) return error
  const hint = 'See: states --help'
  if (error.code === 'commander.help')
    return new VmStatesError('USAGE', 'no command given', { hint })
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n')
  return new VmStatesError('USAGE', message, { hint: suggestion ?? hint })
}
