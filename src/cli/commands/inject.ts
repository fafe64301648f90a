import { resolve } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { printable } from '../output/printable.js'
import type { Context, Report } from '../report.js'
import { parseTarget } from '../targets/target.js'

/** `states inject`: copies files into an overlay on a disk state or an image, without booting it. */
export async function inject(
  target: string,
  words: readonly string[],
  { output }: { output?: string },
  context: Context,
): Promise<Report> {
  const sources = words.slice(0, -1)
  const to = words.at(-1)
  if (to === undefined || sources.length === 0 || output === undefined) {
    throw new VmStatesError('USAGE', 'inject takes sources, a path on the disk, and --output', {
      hint: 'states inject STATE SOURCE… PATH --output FILE.qcow2',
    })
  }
  const parsed = parseTarget(target, undefined)
  const { withDiskState, withImageDisk } = await import('../files/with-disk.js')
  const { diskOpener } = await import('../files/disk-opener.js')
  const { injectFiles } = await import('../../images/appliance/inject-files.js')
  const { IMAGE_DISK_NAME } = await import('../../params/drives.js')
  const { signal, progress } = context
  const editor =
    (name: string, states: Parameters<typeof diskOpener>[0]) =>
    async (file: string): Promise<void> => {
      const opener = await diskOpener(states, signal)
      progress.step(`writing ${output}`)
      const disk = { name: IMAGE_DISK_NAME, file, format: 'qcow2' } as const
      await injectFiles(name, disk, sources, to, opener)
    }
  if (parsed.kind === 'image') {
    return await withImageDisk(parsed.file, context, async (name, disk, states) => {
      const { overlayOnImage } = await import('../files/overlay-on-image.js')
      return report(name, [await overlayOnImage(disk, resolve(output), editor(name, states))])
    })
  }
  return await withDiskState(parsed, context, async (name, state, states) => {
    const { exportOverlay } = await import('../../states/catalogue/export-overlay.js')
    const edit = editor(name, states)
    return report(name, await exportOverlay(state, output, states, { signal, edit }))
  })
}

function report(name: string, files: readonly string[]): Report {
  const text = files.map((file) => printable(`${file} stands on ${name}`)).join('\n')
  return { data: { from: name, files }, text }
}
