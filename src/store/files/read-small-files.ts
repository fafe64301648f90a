import { readFileSync } from 'node:fs'
import { setImmediate as letOthersRun } from 'node:timers/promises'
import { systemCode } from './storage-error.js'

const READ_AT_ONCE = 50

/**
 * Reads many small files, synchronously, some at once: a thousand took 16 ms so, and 86 ms with
 * promises, sixteen at a time.
 *
 * @returns their texts, in order; undefined for one that is missing
 */
export async function readSmallFiles(paths: readonly string[]): Promise<(string | undefined)[]> {
  const texts: (string | undefined)[] = []
  for (const path of paths) {
    if (texts.length % READ_AT_ONCE === READ_AT_ONCE - 1) await letOthersRun()
    texts.push(readNow(path))
  }
  return texts
}

function readNow(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
