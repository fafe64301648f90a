import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { VmStatesError } from '../../params/errors.js'
import type { ParsedStateOptions } from '../../params/state.js'
import type { Origin } from '../definitions/types.js'

/**
 * What the declared inputs of a state add to its key: the values as they are, the digests of the
 * files. A file is named as it was written, so that a checkout can move.
 *
 * @throws VmStatesError `INPUT_FILE` if a file cannot be read
 */
export async function inputParts(
  inputs: ParsedStateOptions['inputs'],
  origin: Origin | undefined,
): Promise<Record<string, unknown>> {
  const directory = origin === undefined ? process.cwd() : dirname(origin.file)
  const digests = await Promise.all(
    inputs.files.map(async (file) => [file, await digestFile(resolve(directory, file))]),
  )
  return { values: inputs.values, files: Object.fromEntries(digests) }
}

async function digestFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path), hash)
  } catch (cause) {
    throw new VmStatesError('INPUT_FILE', `the input file ${path} cannot be read`, { cause })
  }
  return hash.digest('hex')
}
