import { tracer } from '../../params/trace.js'
import type { OnCommand } from './on-command.js'

const trace = tracer('exec')

/**
 * Has the commands of a machine traced.
 *
 * @param name - the machine, as traces call it
 * @param onCommand - who is told of them anyhow
 */
export function traceCommands(
  name: string,
  onCommand: OnCommand | undefined,
): OnCommand | undefined {
  if (!trace.enabled) return onCommand
  return (command, result) => {
    trace('%s: $ %s', name, command)
    result.then(
      ({ exitCode, signal, duration }) =>
        trace('%s: %s after %d ms: %s', name, signal ?? exitCode, Math.round(duration), command),
      (error: unknown) => trace('%s: %s', name, error instanceof Error ? error.message : error),
    )
    onCommand?.(command, result)
  }
}
