import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { dirname, join, parse as parsePath, resolve } from 'node:path'
import { IMAGE_DISK_NAME, VARIABLES_DISK_NAME } from '../../params/drives.js'
import { fileError } from '../../qemu/file-error.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import type { Store } from '../../store/store.js'
import { type AnyState, DETAILS, type MachineDefinition } from '../definitions/types.js'
import { type NewOverlay, refuseExisting, writeOverlays } from './write-overlays.js'

/** How overlays on the disks of a state come about. */
export interface OverlaysOn {
  /** Path of the overlay on the image's disk, from which those of others are made. */
  output: string
  /** The disks, by member. */
  disks: Readonly<Record<string, readonly Disk[]>>
  /** The objects of the store that the overlays will stand on. */
  objects: readonly string[]
  /** Makes the overlay of a disk. */
  create(disk: Disk, path: string): Promise<unknown>
}

/**
 * Leaves a file for each disk of a state, all of them or none. As long as they exist, what they stand on
 * stays in the store.
 *
 * @returns their absolute paths
 * @throws VmStatesError `OUTPUT_EXISTS`; `ACCESS_DENIED`; `IMAGE_IN_USE` while another command writes
 *   there
 */
export async function leaveOverlays(
  state: AnyState,
  { output, disks, objects, create }: OverlaysOn,
  store: Store,
): Promise<string[]> {
  const overlays = Object.entries(disks).flatMap(([member, all]) =>
    all.map((disk): NewOverlay => {
      const file = pathFor(state, output, member, disk.name)
      return { file, create: (path) => create(disk, path) }
    }),
  )
  const files = overlays.map(({ file }) => file)
  for (const file of files) await requireDirectory(dirname(file))
  const pin = async () => {
    for (const file of files) await Promise.all(objects.map((id) => store.pin(id, file)))
  }
  await writeOverlays(overlays, pin)
  return files
}

/**
 * Finds out before anything is done whether overlays on the disks of a state can be left.
 *
 * @throws VmStatesError `OUTPUT_EXISTS`, `ACCESS_DENIED`
 */
export async function requirePlaces(state: AnyState, output: string): Promise<void> {
  for (const [member, { machine }] of Object.entries(state[DETAILS].members)) {
    for (const disk of diskNames(machine)) {
      const file = pathFor(state, output, member, disk)
      await requireDirectory(dirname(file))
      await refuseExisting(file)
    }
  }
}

/** What states hold the content of. */
function diskNames(machine: MachineDefinition): string[] {
  const { disks, firmware } = machine[DETAILS].options
  const written = disks.filter(({ readOnly }) => !readOnly).map(({ name }) => name)
  return [IMAGE_DISK_NAME, ...written, ...(firmware === 'uefi' ? [VARIABLES_DISK_NAME] : [])]
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

function pathFor(state: AnyState, output: string, member: string, disk: string): string {
  const members = state[DETAILS].kind === 'state' ? [] : [member]
  const parts = [...members, ...(disk === IMAGE_DISK_NAME ? [] : [disk])]
  const path = resolve(output)
  if (parts.length === 0) return path
  const { dir, name, ext } = parsePath(path)
  return join(dir, `${[name, ...parts].join('-')}${ext || '.qcow2'}`)
}
