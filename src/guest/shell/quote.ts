import { VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'

/** What can stand in a `vm.$` template: one word, or an array for several. */
export type ShellValue = string | number | readonly (string | number)[]

const PLAIN = /^[\w@%+=:,./-]+$/

/** Quotes a text for a POSIX shell, as one word. */
export function quoteWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/**
 * A value as words of a shell script.
 *
 * @param where - the value's place, for the error
 * @throws VmStatesError `INVALID_VALUE` if it is neither text nor a finite number nor an array of them
 */
export function quoteValue(value: unknown, where: string): string {
  if (Array.isArray(value)) {
    return value.map((item, index) => quoteValue(item, `${where}[${index}]`)).join(' ')
  }
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (typeof value === 'string' && !value.includes('\0')) return quoteWord(value)
  throw new VmStatesError(
    'INVALID_VALUE',
    `${where} is ${showValue(value)}: only text without NUL, numbers and arrays of them can stand in a command`,
  )
}
