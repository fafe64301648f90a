import { VmStatesError } from '../../params/errors.js'
import { quoteValue } from './quote.js'

/** What JavaScript makes an author escape in a template; any other backslash is the shell's. */
const TEMPLATE_ESCAPE = /\\(\\|`|\$(?=\{))/g

function literalText(raw: string): string {
  return raw.replace(TEMPLATE_ESCAPE, (pair, escaped) => (escaped === '\\' ? pair : escaped))
}

/**
 * The shell script that a template stands for: its text as it is written, and its values quoted.
 *
 * @throws VmStatesError `INVALID_VALUE` for a value that is not a {@link ShellValue}, or if there is
 *   no command at all
 */
export function shellScript(template: TemplateStringsArray, values: readonly unknown[]): string {
  const script = template.raw.reduce((text, raw, index) => {
    const value = index === 0 ? '' : quoteValue(values[index - 1], `value ${index} of vm.$\`…\``)
    return text + value + literalText(raw)
  }, '')
  if (script.includes('\0')) {
    throw new VmStatesError('INVALID_VALUE', 'vm.$`…` cannot hold a NUL character')
  }
  if (script.trim() === '') throw new VmStatesError('INVALID_VALUE', 'vm.$`…` holds no command')
  return script
}
