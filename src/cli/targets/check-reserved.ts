import { checkRoot } from '../../backends/image/root.js'
import { checkBoot } from '../../backends/live/check-boot.js'
import { isVmStatesError } from '../../params/errors.js'
import { printable } from '../output/printable.js'
import type { Context, Report } from '../report.js'
import { type ImageOptions, withImages } from './image-subject.js'
import { ROOT } from './reserved.js'

/** Codes of errors that answer the question: what was asked for is not there. */
const NO: readonly string[] = [
  'IMAGE_MISSING',
  'IMAGE_NOT_QCOW2',
  'IMAGE_DAMAGED',
  'QMP_CONNECTION_LOST',
]

/** Whether an image is there and whole (`root`), or the machine on it runs (`boot`). */
export async function checkReserved(
  file: string,
  name: string,
  options: ImageOptions,
  { signal }: Context,
): Promise<Report> {
  const look = name === ROOT ? checkRoot : checkBoot
  const [exists, reason] = await withImages(file, options, signal, ({ target }) =>
    look(target),
  ).then((found) => [found, undefined] as const, asNo)
  const backends = exists ? [name === ROOT ? 'image' : 'live'] : []
  const why = reason === undefined ? '' : ` (${reason})`
  return {
    data: { exists, state: name, backends, image: file, reason },
    text: printable(`${file} has ${exists ? '' : 'no '}state ${JSON.stringify(name)}${why}`),
    exitCode: exists ? 0 : 1,
  }
}

function asNo(error: unknown): readonly [false, string] {
  if (!isVmStatesError(error) || !NO.includes(error.code)) throw error
  return [false, error.message.split('\n')[0] ?? '']
}
