import { pushState } from '../../states/policies/operations.js'
import type { Context, Report } from '../report.js'
import { type ChangeOptions, changeImage } from '../targets/change-image.js'
import { requireImage } from '../targets/require-image.js'

/** `states push`: keeps the current content of an image as a new state. */
export async function push(
  target: string,
  tag: string | undefined,
  options: ChangeOptions,
  context: Context,
): Promise<Report> {
  const image = requireImage('push', target, tag)
  return changeImage(image, { step: 'pushing', byDefault: 'external' }, options, context, pushState)
}
