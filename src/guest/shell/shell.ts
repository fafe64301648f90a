import { VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'
import type { ExecOptions } from '../exec/options.js'
import type { CommandResult } from '../exec/result.js'
import type { ShellValue } from './quote.js'

/** The template tag `vm.$`, which runs its text as a shell script in the guest. */
export interface Shell<Output extends string | Buffer = string> {
  /** Runs the script and waits for its end. */
  (template: TemplateStringsArray, ...values: ShellValue[]): Promise<CommandResult<Output>>
  /** A tag with options: vm.$({ cwd: '/srv' })`…`. */
  (options: ExecOptions & { encoding: 'buffer' }): Shell<Buffer>
  (options: ExecOptions & { encoding: 'utf8' }): Shell<string>
  (options: ExecOptions & { encoding?: undefined }): Shell<Output>
  (options: ExecOptions): Shell<string | Buffer>
}

type RunScript = (
  tag: unknown,
  template: TemplateStringsArray,
  values: readonly unknown[],
  options: ExecOptions,
) => Promise<CommandResult<string | Buffer>>

/** Makes a {@link Shell} with options. */
export function createShell(run: RunScript, options: ExecOptions): Shell {
  const shell = (first: TemplateStringsArray | ExecOptions, ...values: unknown[]) => {
    if (typeof first !== 'object' || first === null) {
      const right = 'it is a tag, as in vm.$`uptime`; vm.shell(text) runs the text of a script'
      throw new VmStatesError('INVALID_VALUE', `vm.$ was called with ${showValue(first)}: ${right}`)
    }
    return 'raw' in first
      ? run(shell, first, values, options)
      : createShell(run, { ...options, ...first })
  }
  return shell as Shell
}
