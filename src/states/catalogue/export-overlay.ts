import { writableDisks } from '../../backends/live/disk-snapshot.js'
import { IMAGE_DISK_NAME } from '../../params/drives.js'
import { VmStatesError } from '../../params/errors.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { createOverlay } from '../../qemu/qemu-img/create.js'
import { nameOf } from '../definitions/name-of.js'
import type { AnyState } from '../definitions/types.js'
import type { Context } from '../graph/context.js'
import { type EnsureOptions, ensure } from '../graph/ensure.js'
import { leaveOverlays, requirePlaces } from './overlay-files.js'

/** How overlays are left. */
export interface ExportOptions extends EnsureOptions {
  /** Changes the overlay on the image's disk before it has its name. */
  edit?: (file: string) => Promise<void>
}

/**
 * Leaves an overlay on each writable disk of a state, for any other tool to run on, and building the state
 * first if it is not there. As long as the overlays exist, the state stays in the store.
 *
 * @param output - path of the overlay on the image's disk; a further disk `data` gets
 *   `<output>-data.qcow2` beside it, and every disk of a member `client` of an environment
 *   `<output>-client.qcow2` or `<output>-client-data.qcow2`
 * @returns the absolute paths of the overlays
 * @throws VmStatesError `OUTPUT_EXISTS`; `ACCESS_DENIED`; `IMAGE_IN_USE` while another command writes
 *   there; `STATE_IS_LIVE` for a live state, whose RAM no overlay holds; whatever {@link ensure} throws
 */
export async function exportOverlay(
  state: AnyState,
  output: string,
  context: Context,
  { edit, ...options }: ExportOptions = {},
): Promise<string[]> {
  if (state.liveness === 'live') {
    throw new VmStatesError(
      'STATE_IS_LIVE',
      `${nameOf(state)} is a live state: an overlay would lack its RAM`,
      { hint: 'Export a disk state, or start the live one through this package.' },
    )
  }
  await requirePlaces(state, output)
  const available = await ensure(state, context, options)
  try {
    const create = async (disk: Disk, path: string) => {
      await createOverlay(path, disk, options)
      if (disk.name === IMAGE_DISK_NAME) await edit?.(path)
    }
    const members = Object.entries(available.members)
    const disks = Object.fromEntries(
      members.map(([member, { files }]) => [member, writableDisks(files.disks)]),
    )
    const { objects } = available
    return await leaveOverlays(state, { output, disks, objects, create }, context.store)
  } finally {
    await available.release()
  }
}
