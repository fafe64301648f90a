import { dirname, resolve } from 'node:path'
import { machineOf } from './machine-of.js'
import { parentsOf } from './parents-of.js'
import { type AnyState, DETAILS } from './types.js'

/**
 * The files besides code that a state's content depends on: the declared inputs of the state and of
 * all that it stands on, and the image where that is a file.
 *
 * @returns absolute paths, and patterns where inputs are patterns
 */
export function inputFiles(state: AnyState): string[] {
  const { origin, options } = state[DETAILS]
  const directory = origin === undefined ? process.cwd() : dirname(origin.file)
  const own = options.inputs.files.map((file) => resolve(directory, file))
  return [...own, ...imageFiles(state), ...parentsOf(state).flatMap(inputFiles)]
}

function imageFiles(state: AnyState): string[] {
  if (parentsOf(state).length > 0) return []
  const { image } = machineOf(state)[DETAILS].options
  return image.kind === 'file' ? [image.path] : []
}
