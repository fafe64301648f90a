import { rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '../files/storage-error.js'
import { removedName, removeLeftover } from '../leftovers.js'
import { killProcesses } from './process-records.js'

/**
 * Kills the processes of a run and deletes its directory. Several may do so at once.
 *
 * @returns the pids that were killed
 */
export async function removeRun(directory: string): Promise<number[]> {
  const killed = await killProcesses(directory)
  const removed = join(dirname(directory), removedName())
  try {
    await rename(directory, removed)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
  await removeLeftover(removed)
  return killed
}
