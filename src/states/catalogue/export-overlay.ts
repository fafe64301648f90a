import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { dirname, join, parse as parsePath, resolve } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { IMAGE_DISK_NAME } from '../../params/machine.js'
import { fileError } from '../../qemu/file-error.js'
import { nameOf } from '../definitions/name-of.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import type { AvailableState } from '../graph/available-state.js'
import type { Context } from '../graph/context.js'
import { type EnsureOptions, ensure } from '../graph/ensure.js'
import { type NewOverlay, refuseExisting, writeOverlays } from './write-overlays.js'

/**
 * Leaves an overlay on each disk of a state, for any other tool to run on, and building the state
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
  options: EnsureOptions = {},
): Promise<string[]> {
  if (state.liveness === 'live') {
    throw new VmStatesError(
      'STATE_IS_LIVE',
      `${nameOf(state)} is a live state: an overlay would lack its RAM`,
      { hint: 'Export a disk state, or start the live one through this package.' },
    )
  }
  if (state[DETAILS].kind === 'state') await refuseExisting(resolve(output))
  const available = await ensure(state, context, options)
  try {
    const overlays = disksOf(state, available, output)
    const files = overlays.map(({ file }) => file)
    for (const file of files) await requireDirectory(dirname(file))
    const pin = async () => {
      for (const file of files) {
        await Promise.all(available.objects.map((id) => context.store.pin(id, file)))
      }
    }
    await writeOverlays(overlays, pin, options)
    return files
  } finally {
    await available.release()
  }
}

/** Before it is pinned: whether a file is gone cannot be seen in a directory that is closed. */
async function requireDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true })
    await access(directory, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw fileError(error, directory)
  }
}

/** Every disk of the state, with the path of the overlay on it. */
function disksOf(state: AnyState, { members }: AvailableState, output: string): NewOverlay[] {
  const isOne = state[DETAILS].kind === 'state'
  return Object.entries(members).flatMap(([member, { files }]) =>
    files.disks.map((disk) => {
      const further = disk.name === IMAGE_DISK_NAME ? [] : [disk.name]
      return { disk, file: pathFor(output, isOne ? further : [member, ...further]) }
    }),
  )
}

function pathFor(output: string, parts: readonly string[]): string {
  const path = resolve(output)
  if (parts.length === 0) return path
  const { dir, name, ext } = parsePath(path)
  return join(dir, `${[name, ...parts].join('-')}${ext || '.qcow2'}`)
}
