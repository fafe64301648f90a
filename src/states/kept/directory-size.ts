import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** What the kernel counts blocks in, whatever the filesystem's own are. */
const BLOCK = 512

/** Bytes on the disk of the files in a directory and those below it. */
export async function directorySize(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = files.map(async ({ parentPath, name }) => {
    const { blocks } = await stat(join(parentPath, name))
    return blocks * BLOCK
  })
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
