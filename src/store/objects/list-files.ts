import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { ObjectFile } from './manifest.js'

/** The files in a directory and those below it, with their sizes, in a fixed order. */
export async function listFiles(directory: string): Promise<ObjectFile[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map(async (entry): Promise<ObjectFile> => {
      const path = join(entry.parentPath, entry.name)
      return { name: relative(directory, path), size: (await stat(path)).size }
    })
  return (await Promise.all(files)).sort((a, b) => (a.name < b.name ? -1 : 1))
}
