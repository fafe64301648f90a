import type { ExecOptions } from './options.js'

const ENTER = 'cd -- "$1" || exit 126; shift; '
const EXPORT = 'while [ "$1" != -- ]; do export "$1"; shift; done; shift; '

/** A name that holds nothing which a shell would not take for a part of `~name`. */
const KNOW_USER = `
user=$1; shift
id -u -- "$user" >/dev/null 2>&1 || { echo "the guest has no user $user" >&2; exit 126; }
eval "HOME=~$user"
export HOME USER="$user" LOGNAME="$user"
`

/**
 * util-linux has setpriv and runuser, which start programs without a shell; busybox has a su that takes
 * the place of its caller, as it must: a su with sessions would be killed without its program. The user may
 * open `/dev/stdout` anew, which is a pipe of the channel's user.
 */
const BECOME_USER = `
chmod 666 /proc/$$/fd/1 /proc/$$/fd/2 2>/dev/null
if setpriv --reuid="$user" --regid="$(id -g -- "$user")" --init-groups true 2>/dev/null; then
  exec setpriv --reuid="$user" --regid="$(id -g -- "$user")" --init-groups -- "$@"
fi
exec su -m -s /bin/sh -c 'exec "$@"' -- "$user" sh "$@"
`

/**
 * Puts a small shell in front of a command where it needs what channels cannot do themselves: another
 * user, a working directory, variables on top of the environment (which `guest-exec` would replace as
 * a whole). Values travel as arguments, never in the script's text.
 */
export function wrapCommand(
  file: string,
  args: readonly string[],
  { cwd, env, user }: Pick<ExecOptions, 'cwd' | 'env' | 'user'>,
): { path: string; arg: readonly string[] } {
  const variables = Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`)
  if (user !== undefined && variables.length > 0) {
    // Behind the change of the user: the variables are for the program, and not for who changes it.
    const { path, arg } = wrapCommand(file, args, { env })
    return wrapCommand(path, arg, { cwd, user })
  }
  let script = ''
  const values: string[] = []
  if (user !== undefined) {
    script += KNOW_USER
    values.push(user)
  }
  if (cwd !== undefined) {
    script += ENTER
    values.push(cwd)
  }
  if (variables.length > 0) {
    script += EXPORT
    values.push(...variables, '--')
  }
  if (script === '') return { path: file, arg: args }
  script += user === undefined ? 'exec "$@"' : BECOME_USER
  return { path: '/bin/sh', arg: ['-c', script, 'sh', ...values, file, ...args] }
}
