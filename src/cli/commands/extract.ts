import { resolve } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { printable } from '../output/printable.js'
import type { Context, Report } from '../report.js'
import { parseTarget } from '../targets/target.js'

/** `states extract`: copies files out of a disk state or an image without booting it. */
export async function extract(
  target: string,
  paths: readonly string[],
  { to }: { to?: string },
  context: Context,
): Promise<Report> {
  if (to === undefined) {
    throw new VmStatesError('USAGE', 'where are the files to go?', {
      hint: 'states extract STATE PATH… --to DIRECTORY',
    })
  }
  const { withDisk } = await import('../files/with-disk.js')
  const { diskOpener } = await import('../files/disk-opener.js')
  const { extractFiles } = await import('../../images/appliance/extract-files.js')
  return await withDisk(parseTarget(target, undefined), context, async (name, disk, states) => {
    const opener = await diskOpener(states, context.signal)
    context.progress.step(`reading ${name}`)
    const files = await extractFiles(name, disk, paths, resolve(to), opener)
    return { data: { from: name, files }, text: files.map(printable).join('\n') }
  })
}
