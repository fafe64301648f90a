import type { ExecOptions } from './options.js'

const ENTER = 'cd -- "$1" || exit 126; shift; '
const EXPORT = 'while [ "$1" != -- ]; do export "$1"; shift; done; shift; '

/**
 * Puts a small shell in front of a command where it needs what `guest-exec` cannot do itself: a
 * working directory, variables on top of the agent's environment (which `guest-exec` would replace as
 * a whole). Values travel as arguments, never in the script's text.
 */
export function wrapCommand(
  file: string,
  args: readonly string[],
  { cwd, env }: Pick<ExecOptions, 'cwd' | 'env'>,
): { path: string; arg: readonly string[] } {
  const variables = Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`)
  let script = ''
  const values: string[] = []
  if (cwd !== undefined) {
    script += ENTER
    values.push(cwd)
  }
  if (variables.length > 0) {
    script += EXPORT
    values.push(...variables, '--')
  }
  if (script === '') return { path: file, arg: args }
  return { path: '/bin/sh', arg: ['-c', `${script}exec "$@"`, 'sh', ...values, file, ...args] }
}
