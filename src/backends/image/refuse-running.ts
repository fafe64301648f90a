import { readFile, stat, statfs } from 'node:fs/promises'
import { refuseInUse } from '../../images/refuse-in-use.js'
import { VmStatesError } from '../../params/errors.js'
import { fileError } from '../../qemu/file-error.js'

/** Filesystems whose locks this kernel need not know of: NFS, SMB, CIFS, FUSE, 9p, Ceph. */
const REMOTE = new Set([0x6969, 0xfe534d42, 0xff534d42, 0x65735546, 0x01021997, 0x00c36400])

/**
 * Makes sure that no QEMU has an image open, not even to read: it locks what it opens. The kernel's
 * list of locks answers that without a process; where it does not tell, qemu-io tries to open it.
 *
 * @throws VmStatesError `IMAGE_IN_USE`
 */
export async function refuseRunning(files: readonly string[], signal?: AbortSignal): Promise<void> {
  const locks = await readFile('/proc/locks', 'utf8').catch(() => undefined)
  await Promise.all(
    files.map(async (file) => {
      const answer = await isLocked(file, locks)
      if (answer === 'unclear') await refuseInUse(file, signal)
      if (answer !== true) return
      throw new VmStatesError('IMAGE_IN_USE', `${file} is in use by another process`, {
        hint: 'Shut down the machine that runs on it, and try again.',
      })
    }),
  )
}

async function isLocked(file: string, locks: string | undefined): Promise<boolean | 'unclear'> {
  if (locks === undefined) return 'unclear'
  const [{ dev, ino }, { type }] = await Promise.all([
    stat(file, { bigint: true }),
    statfs(file),
  ]).catch((error: unknown) => {
    throw fileError(error, file)
  })
  if (REMOTE.has(type)) return 'unclear'
  const found = [...locks.matchAll(/ (?<device>[0-9a-f]+:[0-9a-f]+):(?<inode>\d+) /g)].filter(
    ({ groups }) => groups?.inode === String(ino),
  )
  if (found.some(({ groups }) => groups?.device === deviceName(dev))) return true
  // Some filesystems give their files another device number than their locks.
  return found.length > 0 ? 'unclear' : false
}

/** As `/proc/locks` writes it: major and minor number, in at least two hexadecimal digits each. */
function deviceName(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn)
  return [major, minor].map((part) => part.toString(16).padStart(2, '0')).join(':')
}
