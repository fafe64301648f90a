import { isVmStatesError, type VmStatesError } from '../../params/errors.js'
import { printable } from './printable.js'
import { style } from './style.js'

/** An error as `--json` shows it. */
export interface Failure {
  error: { code: string; message: string; hint?: string }
}

/** The error as it is, or what wraps one that nobody foresaw. */
interface Known {
  code: string
  message: string
  hint: string | undefined
  exitCode: number
}

function known(error: unknown): Known {
  if (isVmStatesError(error)) {
    const { code, hint, exit } = error
    return { code, hint, exitCode: exit, message: firstPart(error) }
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return {
    code: 'UNEXPECTED',
    message,
    hint: 'This is most likely an error in vitest-vm-states; set VM_STATES_DEBUG=1 to see where.',
    exitCode: 3,
  }
}

/** The message without the hint that follows it in `Error.message`. */
function firstPart({ message, hint }: VmStatesError): string {
  return hint === undefined ? message : message.replace(`\n  ${hint}`, '')
}

/** The exit code of a command that ends with this error. */
export function exitCodeOf(error: unknown): number {
  return known(error).exitCode
}

/** An error as `--json` shows it: one document, like every result. */
export function failureData(error: unknown): Failure {
  const { code, message, hint } = known(error)
  return { error: { code, message, ...(hint === undefined ? {} : { hint }) } }
}

/** An error for people. */
export function failureText(error: unknown, colors: boolean, debug: boolean): string {
  const { code, message, hint } = known(error)
  const lines = [
    `${style('bad', 'error', colors)} ${style('faint', code, colors)}: ${printable(message)}`,
  ]
  if (hint !== undefined) lines.push(`  ${printable(hint)}`)
  if (debug && error instanceof Error && error.stack)
    lines.push(style('faint', printable(error.stack), colors))
  return lines.join('\n')
}
