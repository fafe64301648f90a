import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { QmpClient } from '../qmp/client.js'

/** Milliseconds: a picture is made at once, or not at all. */
const TIMEOUT = 5000

/**
 * Saves what a machine's display shows, replacing a file that is there. Needs QEMU 7.1, the first one
 * that makes PNG files (`screendump` in the QMP reference). Never rejects.
 *
 * @param path - absolute; QEMU writes a file beside it first
 * @returns whether there is a picture: a machine without a graphics card has no display
 */
export async function saveScreen(
  { qmp, pid }: { qmp: Pick<QmpClient, 'execute'>; pid: number },
  path: string,
): Promise<boolean> {
  const unfinished = join(dirname(path), `.tmp-screen-${pid}`)
  try {
    const picture = { filename: unfinished, format: 'png' }
    await qmp.execute('screendump', picture, { timeout: TIMEOUT })
    await rename(unfinished, path)
    return true
  } catch {
    await rm(unfinished, { force: true }).catch(() => {})
    return false
  }
}
