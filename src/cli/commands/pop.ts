import { popState } from '../../states/policies/operations.js'
import type { Context, Report } from '../report.js'
import { type ChangeOptions, changeImage } from '../targets/change-image.js'
import { requireImage } from '../targets/require-image.js'

/** `states pop`: restores a state of an image and removes it. */
export async function pop(
  target: string,
  tag: string | undefined,
  options: ChangeOptions,
  context: Context,
): Promise<Report> {
  const image = requireImage('pop', target, tag)
  return changeImage(image, { step: 'popping' }, options, context, popState)
}
