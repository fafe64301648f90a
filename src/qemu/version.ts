import { execFile } from 'node:child_process'
import { open, realpath, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { VmStatesError } from '../params/errors.js'
import { hostFact } from './host-facts.js'
import { findQemu } from './machine/find-binary.js'

const TIMEOUT = 10_000

/** A text that changes whenever the file at a path is another. */
export async function fileIdentity(path: string): Promise<string> {
  const file = await realpath(path)
  const { dev, ino, size, mtimeMs, ctimeMs } = await stat(file)
  return [file, dev, ino, size, mtimeMs, ctimeMs].join(' ')
}

/**
 * The version of a QEMU binary, such as `7.2.22`. The binary is run once; the answer is remembered
 * for as long as the file stays the same. A script that runs QEMU is asked each time: what it runs may change.
 *
 * @param binary - a path, or a name to look up in `PATH`
 * @throws VmStatesError `QEMU_MISSING` if it is not there, or is no QEMU
 */
export async function qemuVersion(binary: string): Promise<string> {
  const path = await findQemu(binary)
  const ask = async () => {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: TIMEOUT }).catch(
      (cause: Error) => {
        throw new VmStatesError('QEMU_MISSING', `${path}: cannot be run`, { cause })
      },
    )
    const version = /^QEMU emulator version (\d+\.\d+\.\d+)/.exec(stdout)?.[1]
    if (version !== undefined) return version
    throw new VmStatesError('QEMU_MISSING', `${path}: does not say its version as QEMU does`)
  }
  return (await isElf(path)) ? hostFact('qemu-version', await fileIdentity(path), ask) : ask()
}

async function isElf(path: string): Promise<boolean> {
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
  return bytesRead === 4 && buffer.toString('latin1') === '\x7fELF'
}
