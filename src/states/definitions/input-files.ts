import { dirname } from 'node:path'
import { machineOf } from './machine-of.js'
import { parentsOf } from './parents-of.js'
import { type AnyState, DETAILS } from './types.js'

/** Files as they are written, some as globs or, after a `!`, as exceptions from these. */
export interface InputFiles {
  /** What relative paths start from. */
  directory: string
  files: readonly string[]
}

/**
 * The files besides code that a state's content depends on: the declared inputs of the state and of
 * all that it stands on, and the images where those are files.
 */
export function inputFiles(state: AnyState): InputFiles[] {
  const { origin, options } = state[DETAILS]
  const directory = origin === undefined ? process.cwd() : dirname(origin.file)
  const own = { directory, files: [...options.inputs.files, ...imageFiles(state)] }
  return [...(own.files.length > 0 ? [own] : []), ...parentsOf(state).flatMap(inputFiles)]
}

function imageFiles(state: AnyState): string[] {
  if (parentsOf(state).length > 0) return []
  const { image, disks, cdroms } = machineOf(state)[DETAILS].options
  const images = [image, ...[...disks, ...cdroms].map((drive) => drive.image)]
  return images.flatMap((image) => (image?.kind === 'file' ? [image.path] : []))
}
