import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { fileError } from '../../qemu/file-error.js'

async function hold(file: string): Promise<Server> {
  const path = await place(file).catch((error: unknown) => {
    throw fileError(error, file)
  })
  const digest = createHash('sha256').update(path).digest('hex')
  const server = createServer((connection) => connection.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = new VmStatesError('IMAGE_IN_USE', `another command works on ${file}`, {
        hint: 'Try again when it has ended.',
        cause: error,
      })
      reject(error.code === 'EADDRINUSE' ? taken : error)
    })
    server.listen(`\0vm-states-image-${digest}`, () => resolve(server.unref()))
  })
}

/** The real path of a file that may not be there yet. */
async function place(file: string): Promise<string> {
  try {
    return await realpath(file)
  } catch {
    return join(await realpath(dirname(file)), basename(file))
  }
}

const release = (server: Server): Promise<void> =>
  new Promise((resolve) => server.close(() => resolve()))

/**
 * Works on images while no other command of this package does. The lock is a name in the kernel (an
 * abstract Unix socket), so it ends with its process, however that dies, and leaves no file behind.
 * It holds among the processes of one network namespace.
 *
 * @throws VmStatesError `IMAGE_IN_USE` at once if another command holds one of them
 */
export async function withImagesLocked<T>(
  files: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const held: Server[] = []
  try {
    for (const file of files) held.push(await hold(file))
    return await work()
  } finally {
    await Promise.all(held.map(release))
  }
}
