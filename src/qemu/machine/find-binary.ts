import { constants } from 'node:fs'
import { access, realpath } from 'node:fs/promises'
import { basename, delimiter, isAbsolute, join, resolve } from 'node:path'
import { VmStatesError } from '../../params/errors.js'

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/**
 * Finds a program as a shell would.
 *
 * @param name - a path, or a name to look up in `PATH`
 * @returns its absolute path, or nothing if there is none
 */
export async function findProgram(name: string): Promise<string | undefined> {
  if (name.includes('/')) return (await isExecutable(name)) ? resolve(name) : undefined
  for (const directory of (process.env.PATH ?? '').split(delimiter).filter(isAbsolute)) {
    const path = join(directory, name)
    if (await isExecutable(path)) return path
  }
  return undefined
}

/**
 * Finds the QEMU binary.
 *
 * @throws VmStatesError `QEMU_MISSING` with what to install
 */
export async function findQemu(binary: string): Promise<string> {
  const path = await findProgram(binary)
  if (path !== undefined) return path
  throw new VmStatesError('QEMU_MISSING', `${binary}: no such program, or not executable`, {
    hint: `Install QEMU (Debian, Ubuntu: apt-get install ${packageOf(binary)} qemu-utils).`,
  })
}

function packageOf(binary: string): string {
  return binary.endsWith('aarch64') ? 'qemu-system-arm' : 'qemu-system-x86'
}

/**
 * Finds util-linux's `setpriv`, which has the kernel kill QEMU when its parent dies. The one of
 * busybox cannot.
 */
export async function findSetpriv(): Promise<string | undefined> {
  const path = await findProgram('setpriv')
  if (path === undefined) return undefined
  return basename(await realpath(path)) === 'setpriv' ? path : undefined
}
