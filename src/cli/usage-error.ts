import { VmStatesError } from '../params/errors.js'

/** Commander throws these where it would otherwise end the process. */
interface CommanderFailure extends Error {
  code: `commander.${string}`
  exitCode: number
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
  if (!isCommanderFailure(error)) return false
  // With another exit code it is the help text of somebody who gave no command.
  if (error.code === 'commander.help') return error.exitCode === 0
  return ['commander.helpDisplayed', 'commander.version'].includes(error.code)
}

/**
 * Bad usage as one of our errors; any other error, and a help text, as it is.
 *
 * @param command - the command whose arguments are not understood
 */
export function asUsageError(error: unknown, command?: string): unknown {
  if (!isCommanderFailure(error) || isHelp(error)) return error
  const hint = `See: states ${command === undefined ? '' : `${command} `}--help`
  if (error.code === 'commander.help')
    return new VmStatesError('USAGE', 'no command given', { hint })
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n')
  return new VmStatesError('USAGE', message, { hint: suggestion ?? hint })
}
