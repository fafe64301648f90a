import { access } from 'node:fs/promises'
import { isVmStatesError, VmStatesError } from '../params/errors.js'
import { runTool } from './run-tool.js'

/**
 * Makes sure that no QEMU has an image open, not even as a backing file.
 *
 * @param file - absolute path; it need not exist
 * @throws VmStatesError `IMAGE_IN_USE`
 */
export async function refuseInUse(file: string, signal?: AbortSignal): Promise<void> {
  const missing = await access(file).then(
    () => false,
    () => true,
  )
  if (missing) return
  try {
    // Opened for writing, whatever its format: QEMU's locks are on the file. Nothing is written.
    const args = ['-f', 'raw', '-c', 'quit', file]
    await runTool('qemu-io', args, { signal, install: 'qemu-utils' })
  } catch (error) {
    if (!isVmStatesError(error, 'TOOL_FAILED') || !/Failed to get .*lock/.test(error.message)) {
      throw error
    }
    throw new VmStatesError('IMAGE_IN_USE', `${file} is in use by another process`, {
      hint: 'Shut down the machine that runs on it, and try again.',
      cause: error,
    })
  }
}
