import { setState } from '../../states/policies/operations.js'
import type { Context, Report } from '../report.js'
import { type ChangeOptions, changeImage } from '../targets/change-image.js'
import { requireImage } from '../targets/require-image.js'

/** `states set`: keeps the current content of an image as a state. */
export async function set(
  target: string,
  tag: string | undefined,
  options: ChangeOptions,
  context: Context,
): Promise<Report> {
  const image = requireImage('set', target, tag)
  return changeImage(image, { step: 'setting', byDefault: 'external' }, options, context, setState)
}
