import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { VmStatesError } from '../../params/errors.js'

/**
 * Where a file of unpacked packages is: newer releases have in `/usr` what older ones have in `/`.
 *
 * @param unpacked - the directory that packages were unpacked into
 * @param path - as older releases have it, such as `bin/busybox`
 * @throws VmStatesError `TINY_UNAVAILABLE` if it is in neither place
 */
export async function unpackedPath(unpacked: string, path: string): Promise<string> {
  for (const candidate of [join(unpacked, path), join(unpacked, 'usr', path)]) {
    const found = await access(candidate).then(
      () => true,
      () => false,
    )
    if (found) return candidate
  }
  throw new VmStatesError('TINY_UNAVAILABLE', `no downloaded package has ${path}`)
}
