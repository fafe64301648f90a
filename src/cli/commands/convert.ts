import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { printable } from '../output/printable.js'
import type { Context, Report } from '../report.js'

/** `states convert`: copies an image of any format into a new qcow2 image. */
export async function convert(
  source: string,
  target: string,
  { format, force = false }: { format?: string; force?: boolean },
  { signal, progress }: Context,
): Promise<Report> {
  const [from, to] = [resolve(source), resolve(target)]
  if (!force && existsSync(to)) {
    throw new VmStatesError('USAGE', `${to} is there already`, {
      hint: 'To replace it, say --force.',
    })
  }
  progress.step(`converting ${from}`)
  const { convertImage } = await import('../../images/convert-image.js')
  await convertImage(from, to, {
    signal,
    ...(format === undefined ? {} : { sourceFormat: format }),
  })
  return { data: { source: from, target: to }, text: printable(`${to} holds ${from} as qcow2`) }
}
