import { unsetState } from '../../states/policies/operations.js'
import type { Context, Report } from '../report.js'
import { type ChangeOptions, changeImage } from '../targets/change-image.js'
import { changeRoot } from '../targets/change-root.js'
import { requireTag } from '../targets/require-image.js'
import { meansRoot } from '../targets/reserved.js'
import { parseTarget } from '../targets/target.js'

/** `states unset`: removes a state of an image, or a built state of the configuration. */
export async function unset(
  target: string,
  tag: string | undefined,
  options: ChangeOptions,
  context: Context,
): Promise<Report> {
  const parsed = parseTarget(target, tag)
  if (parsed.kind === 'image') {
    const image = { file: parsed.file, tag: requireTag(parsed) }
    if (await meansRoot(image, options, context)) {
      const { unsetRootState } = await import('../../states/policies/root-operations.js')
      return changeRoot(image.file, options, context, unsetRootState)
    }
    return changeImage(image, { step: 'removing' }, options, context, unsetState)
  }
  const { unsetKept } = await import('../defined/unset-kept.js')
  const removed = await unsetKept(parsed)
  if (removed !== undefined) return removed
  const { unsetDefined } = await import('../defined/unset-defined.js')
  return unsetDefined(parsed, options, context)
}
