import { findSetpriv } from './find-binary.js'

/**
 * What stands before a command that is to end with this process (or worker thread), even if that is killed;
 * nothing where the host has no `setpriv`.
 */
export async function bindToParent(): Promise<string[]> {
  const setpriv = await findSetpriv()
  return setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--', ...ifParentLives()]
}

/**
 * A parent that died before `setpriv` took effect sends no signal any more. So the last step before
 * the command looks whether it is still there.
 */
function ifParentLives(): string[] {
  return ['/bin/sh', '-c', 'test "$PPID" = "$0" && exec "$@"', String(process.pid)]
}
