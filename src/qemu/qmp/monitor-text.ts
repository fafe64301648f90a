/** Commands of the human monitor that print nothing unless they fail. */
const SILENT_COMMANDS = new Set([
  'cont',
  'delvm',
  'hostfwd_add',
  'loadvm',
  'o',
  'savevm',
  'stop',
  'system_powerdown',
  'system_reset',
])

const ERROR_TEXT =
  /^(?:error\b|unknown command\b|invalid\b|could not\b|cannot\b|can't\b|failed\b|try "help )|\bnot found$|: [\w' -]*(?:expected|missing)$|: extraneous characters\b/i

/**
 * The error in what the human monitor printed, which QMP passes on as if it were a result.
 *
 * @param commandLine - the command that was given
 * @param text - what the monitor printed
 * @returns the error's text on one line, or nothing if the command succeeded
 */
export function monitorError(commandLine: string, text: string): string | undefined {
  const line = text.trim().replaceAll(/\s*[\r\n]+\s*/g, '; ')
  const isSilent = SILENT_COMMANDS.has(commandLine.trim().split(/\s/)[0] ?? '')
  if (isSilent) return line === '' || line.startsWith('warning:') ? undefined : line
  const first = text.trim().split(/\r?\n/)[0] ?? ''
  return ERROR_TEXT.test(first.trim()) ? line : undefined
}
