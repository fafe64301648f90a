import { dirname, resolve } from 'node:path'
import { DETAILS, type State } from './types.js'

/**
 * The files besides code that a state's content depends on: the declared inputs of the state and of
 * all that it stands on, and the image where that is a file.
 *
 * @returns absolute paths, and patterns where inputs are patterns
 */
export function inputFiles(state: State): string[] {
  const { origin, options, step } = state[DETAILS]
  const directory = origin === undefined ? process.cwd() : dirname(origin.file)
  const own = options.inputs.files.map((file) => resolve(directory, file))
  return [...own, ...(step === undefined ? imageFiles(state) : inputFiles(step.parent))]
}

function imageFiles({ machine }: State): string[] {
  const { image } = machine[DETAILS].options
  return image.kind === 'file' ? [image.path] : []
}
