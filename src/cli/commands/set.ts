import { VmStatesError } from '../../params/errors.js'
import { setState } from '../../states/policies/operations.js'
import type { Context, Report } from '../report.js'
import { type ChangeOptions, changeImage } from '../targets/change-image.js'
import { changeRoot } from '../targets/change-root.js'
import { requireImage } from '../targets/require-image.js'
import { isReserved, ROOT } from '../targets/reserved.js'

/** `states set`: keeps the current content of an image as a state. */
export async function set(
  target: string,
  tag: string | undefined,
  { size, ...options }: ChangeOptions & { size?: string },
  context: Context,
): Promise<Report> {
  const image = requireImage('set', target, tag)
  if (isReserved(image.tag, options) && image.tag === ROOT) {
    const bytes = await parseSize(size)
    const { setRootState } = await import('../../states/policies/root-operations.js')
    return changeRoot(image.file, options, context, (target, policies) =>
      setRootState(target, { ...policies, size: bytes }),
    )
  }
  if (size !== undefined) throw new VmStatesError('USAGE', '--size goes with the name root')
  return changeImage(image, { step: 'setting', byDefault: 'external' }, options, context, setState)
}

/** As `image.blank` takes it, or a number of bytes. */
async function parseSize(size: string | undefined): Promise<number> {
  if (size === undefined) {
    throw new VmStatesError('USAGE', 'how large is the new image to be?', {
      hint: "Say --size, as in: states set disk.qcow2 root --size '8 GiB'",
    })
  }
  const [{ parse }, { blankSizeSchema }] = await Promise.all([
    import('../../params/parse.js'),
    import('../../params/image.js'),
  ])
  return parse(blankSizeSchema, /^\d+$/.test(size) ? Number(size) : size, '--size')
}
