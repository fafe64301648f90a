import { basename } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'
import type { Image } from '../image/require-images.js'
import { stateName } from './names.js'

/**
 * The error of an operation that would take a state away from under others.
 *
 * @param image - whose state it is
 * @param children - what stands on it: states, which are named so, and other images beside it
 */
export function hasChildren(
  image: string,
  name: string,
  children: readonly Image[],
  hint: string,
): VmStatesError {
  const names = children.map(({ file }) =>
    showValue(stateName(image, basename(file)) ?? basename(file)),
  )
  const stand = names.length === 1 ? 'stands' : 'stand'
  const message = `${image}: ${names.join(', ')} ${stand} on the state ${showValue(name)}`
  return new VmStatesError('STATE_HAS_CHILDREN', message, { hint })
}
