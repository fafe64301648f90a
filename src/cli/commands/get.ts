import { VmStatesError } from '../../params/errors.js'
import { getState } from '../../states/policies/operations.js'
import type { Context, Report } from '../report.js'
import { type ChangeOptions, changeImage } from '../targets/change-image.js'
import { changeRoot } from '../targets/change-root.js'
import { requireTag } from '../targets/require-image.js'
import { meansRoot } from '../targets/reserved.js'
import { parseTarget } from '../targets/target.js'

/** `states get`: restores a state of an image, or leaves an overlay of a state of the configuration. */
export async function get(
  target: string,
  tag: string | undefined,
  options: ChangeOptions & { output?: string },
  context: Context,
): Promise<Report> {
  const parsed = parseTarget(target, tag)
  if (parsed.kind === 'image') {
    if (options.output !== undefined) {
      throw new VmStatesError('USAGE', '--output goes with machine/state, not with an image')
    }
    const image = { file: parsed.file, tag: requireTag(parsed) }
    if (await meansRoot(image, options, context)) {
      const { getRootState } = await import('../../states/policies/root-operations.js')
      return changeRoot(image.file, options, context, getRootState)
    }
    return changeImage(image, { step: 'restoring' }, options, context, getState)
  }
  const { getDefined } = await import('../defined/get-defined.js')
  return getDefined(parsed, options, context)
}
