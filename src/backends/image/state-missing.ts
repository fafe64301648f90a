import { VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'
import type { Image } from './require-images.js'

/** The error of an operation on a state that is not there. */
export function stateMissing(
  images: readonly Pick<Image, 'file'>[],
  tag: string,
  hint?: string,
): VmStatesError {
  const files = images.map(({ file }) => file).join(', ')
  const every = images.length > 1 ? ' on every disk' : ''
  return new VmStatesError('STATE_MISSING', `${files}: no state ${showValue(tag)}${every}`, {
    hint: hint ?? `See which there are: states show ${images[0]?.file}`,
  })
}
