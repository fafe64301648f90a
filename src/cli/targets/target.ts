import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { BOOTED } from './booted.js'

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
  /** Whether the kept boot of the state is meant. */
  booted: boolean
}

const DEFINED =
  /^(?<machine>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\/(?<state>[A-Za-z0-9][A-Za-z0-9._-]*)(?<booted> booted)?)?$/

/**
 * Tells the path of an image from a state of the configuration. A file that exists is an image, and
 * so is whatever comes with a tag, but for the word `booted`, or looks like nothing but a path.
 *
 * @param target - the first argument of a command
 * @param tag - the second: a state of the image, however odd its name
 * @throws VmStatesError `USAGE` if there is nothing in the first
 */
export function parseTarget(target: string, tag: string | undefined): Target {
  if (target === '') {
    throw new VmStatesError('USAGE', 'the image is "": it takes the path of a qcow2 file')
  }
  // With or without quotes around both words.
  const { machine, state, booted } =
    DEFINED.exec(tag === BOOTED ? `${target} ${tag}` : target)?.groups ?? {}
  const isTagged = tag !== undefined && booted === undefined
  if (isTagged || machine === undefined || isImagePath(target)) {
    return { kind: 'image', file: resolve(target), tag }
  }
  return { kind: 'defined', machine, state, booted: booted !== undefined }
}

function isImagePath(target: string): boolean {
  return looksLikeImage(target) || existsSync(target)
}

/** Whether a name alone says that it is the file of an image. */
export function looksLikeImage(name: string): boolean {
  return /\.(qcow2|img|raw)$/i.test(name)
}
