import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { VmStatesError } from '../../params/errors.js'

/** What a command works on. */
export type Target = ImageFile | DefinedState

/** A qcow2 image, and one of its states. */
export interface ImageFile {
  kind: 'image'
  /** Absolute path. */
  file: string
  tag: string | undefined
}

/** A machine of the configuration, and one of its states. */
export interface DefinedState {
  kind: 'defined'
  machine: string
  state: string | undefined
}

const DEFINED =
  /^(?<machine>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\/(?<state>[A-Za-z0-9][A-Za-z0-9._-]*))?$/

/**
 * Tells the path of an image from a state of the configuration. A file that exists is an image, and
 * so is whatever comes with a tag or looks like nothing but a path.
 *
 * @param target - the first argument of a command
 * @param tag - the second: a state of the image, however odd its name
 * @throws VmStatesError `USAGE` if there is nothing in the first
 */
export function parseTarget(target: string, tag: string | undefined): Target {
  if (target === '') {
    throw new VmStatesError('USAGE', 'the image is "": it takes the path of a qcow2 file')
  }
  const match = DEFINED.exec(target)
  if (tag !== undefined || match?.groups?.machine === undefined || isImagePath(target)) {
    return { kind: 'image', file: resolve(target), tag }
  }
  const { machine, state } = match.groups
  return { kind: 'defined', machine, state }
}

function isImagePath(target: string): boolean {
  return /\.(qcow2|img|raw)$/i.test(target) || existsSync(target)
}
