import { printable } from '../output/printable.js'
import type { Context, Report } from '../report.js'
import { type ImageOptions, withImages } from '../targets/image-subject.js'
import { requireTag } from '../targets/require-image.js'
import { isReserved } from '../targets/reserved.js'
import { parseTarget } from '../targets/target.js'

/** `states check`: whether a state is there; changes nothing. */
export async function check(
  target: string,
  tag: string | undefined,
  options: ImageOptions,
  context: Context,
): Promise<Report> {
  const parsed = parseTarget(target, tag)
  if (parsed.kind === 'defined') {
    const { checkDefined } = await import('../defined/check-defined.js')
    return checkDefined(parsed, context)
  }
  const name = requireTag(parsed)
  const { signal } = context
  context.progress.step('looking for the state')
  if (isReserved(name, options)) {
    const { checkReserved } = await import('../targets/check-reserved.js')
    return checkReserved(parsed.file, name, options, context)
  }
  return withImages(parsed.file, options, signal, async ({ target: images, backends }) => {
    const having: string[] = []
    for (const backend of backends) {
      if (await backend.check(images, name, { signal })) having.push(backend.name)
    }
    const exists = having.length > 0
    return {
      data: { exists, state: name, backends: having, image: parsed.file },
      text: printable(`${parsed.file} has ${exists ? '' : 'no '}state ${JSON.stringify(name)}`),
      exitCode: exists ? 0 : 1,
    }
  })
}
