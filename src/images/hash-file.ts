import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { VmStatesError } from '../params/errors.js'
import { fileError } from '../qemu/file-error.js'

/**
 * The sha256 of a file's content, in hexadecimal digits.
 *
 * @throws VmStatesError `IMAGE_MISSING`, `ACCESS_DENIED`, `ABORTED`
 */
export async function hashFile(file: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) {
      if (signal?.aborted)
        throw new VmStatesError('ABORTED', `the reading of ${file} was cancelled`)
      hash.update(chunk)
    }
  } catch (error) {
    throw fileError(error, file)
  }
  return hash.digest('hex')
}
