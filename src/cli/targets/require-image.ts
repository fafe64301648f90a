import { VmStatesError } from '../../params/errors.js'
import { type ImageFile, parseTarget } from './target.js'

/**
 * The image and state of a command that only works on images.
 *
 * @throws VmStatesError `SETUP_ONLY` for a state of the configuration
 */
export function requireImage(
  command: string,
  target: string,
  tag: string | undefined,
): ImageFile & { tag: string } {
  const parsed = parseTarget(target, tag)
  if (parsed.kind === 'defined') {
    throw new VmStatesError('SETUP_ONLY', `${command} does not work on ${target}`, {
      hint: 'A state of the configuration comes only from its setup; to build it: states get MACHINE/STATE --output FILE',
    })
  }
  return { ...parsed, tag: requireTag(parsed) }
}

/**
 * The state's name, which most commands need of an image.
 *
 * @throws VmStatesError `USAGE`
 */
export function requireTag({ file, tag }: ImageFile): string {
  if (tag !== undefined) return tag
  throw new VmStatesError('USAGE', `which state of ${file}?`, {
    hint: `The state's name comes after the image; see: states show ${file}`,
  })
}
