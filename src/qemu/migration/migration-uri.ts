import { INCOMING_FD } from '../machine/command-line.js'

/** The first version that reads and writes files itself. */
const FILES_SINCE = [8, 2]

/**
 * Where QEMU is to write device state to or read it from. It inherits the file that it is to read.
 *
 * @param version - of QEMU, such as `7.2.22`
 * @param file - absolute path
 */
export function migrationUri(version: string, file: string, direction: 'save' | 'load'): string {
  if (hasFiles(version)) return `file:${file}`
  // A shell would take ten times as long: QEMU forks for it with all of the guest's RAM mapped.
  if (direction === 'load') return `fd:${INCOMING_FD}`
  // Under its own name only once the shell has written all of it.
  return `exec:cat > ${quote(partOf(file))} && mv ${quote(partOf(file))} ${quote(file)}`
}

/** What a file is called while a shell writes it; a failure leaves it. */
export function partOf(file: string): string {
  return `${file}.part`
}

function hasFiles(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [sinceMajor = 0, sinceMinor = 0] = FILES_SINCE
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor)
}

function quote(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`
}
