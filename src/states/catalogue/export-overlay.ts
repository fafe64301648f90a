import { constants } from 'node:fs'
import { access, link, lstat, mkdir, rm } from 'node:fs/promises'
import { basename, dirname, join, parse as parsePath, resolve } from 'node:path'
import { withImagesLocked } from '../../backends/image/lock.js'
import { VmStatesError } from '../../params/errors.js'
import { IMAGE_DISK_NAME } from '../../params/machine.js'
import { fileError } from '../../qemu/file-error.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { createOverlay } from '../../qemu/qemu-img/create.js'
import { nameOf } from '../definitions/name-of.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import type { AvailableState } from '../graph/available-state.js'
import type { Context } from '../graph/context.js'
import { type EnsureOptions, ensure } from '../graph/ensure.js'

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
    const written: string[] = []
    for (const { disk, file } of disksOf(state, available, output)) {
      await refuseExisting(file)
      await requireDirectory(dirname(file))
      // Twice: a pin on a file that is not there yet may be reaped, one after it may come too late.
      const pin = () => Promise.all(available.objects.map((id) => context.store.pin(id, file)))
      await pin()
      await writeOverlay(file, disk, options)
      await pin()
      written.push(file)
    }
    return written
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

/** Before it is pinned: a pin lasts as long as its file does. */
async function refuseExisting(file: string): Promise<void> {
  const exists = await lstat(file).then(
    () => true,
    () => false,
  )
  if (exists) throw outputExists(file)
}

function outputExists(file: string): VmStatesError {
  return new VmStatesError('OUTPUT_EXISTS', `${file} exists already`, {
    hint: 'Choose another path, or delete it.',
  })
}

/** Every disk of the state, with the path of the overlay on it. */
function disksOf(
  state: AnyState,
  { members }: AvailableState,
  output: string,
): { disk: Disk; file: string }[] {
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

/**
 * Made beside its place and linked into it, so that a file that is there stays. Always under the same
 * name there, so that what a killed process left of it is replaced.
 */
async function writeOverlay(
  file: string,
  backing: { file: string; format: 'qcow2' | 'raw' },
  options: EnsureOptions,
): Promise<void> {
  const unfinished = join(dirname(file), `.${basename(file)}.unfinished`)
  await withImagesLocked([file], async () => {
    try {
      await createOverlay(unfinished, backing, options)
      await link(unfinished, file).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'EEXIST' ? outputExists(file) : error
      })
    } finally {
      await rm(unfinished, { force: true })
    }
  })
}
