import { readFile, stat, writeFile } from 'node:fs/promises'
import { fileError } from '../qemu/file-error.js'
import type { Disk } from '../qemu/machine/launch-options.js'
import { readQcow2Header } from '../qemu/qcow2/header.js'
import { createOverlay } from '../qemu/qemu-img/create.js'
import { copyPlain } from './copy-disk.js'
import { keptPath } from './keep-disk.js'

/** How many empty overlays are remembered, of 200 KiB each. */
const REMEMBERED = 16

/** The bytes of empty overlays by what they stand on: another one needs no qemu-img. */
const templates = new Map<string, Buffer>()

/**
 * Makes empty overlays on disks, for a machine that will write to them. What a TPM stores is copied.
 *
 * @param directory - of the machine's disks
 * @returns the overlays; a read-only disk is shared
 * @throws VmStatesError `IMAGE_MISSING`, `IMAGE_DAMAGED`, `DISK_FULL`, `ACCESS_DENIED`
 */
export async function createOverlays(disks: readonly Disk[], directory: string): Promise<Disk[]> {
  return await Promise.all(disks.map((disk) => overlayOn(disk, directory)))
}

async function overlayOn(disk: Disk, directory: string): Promise<Disk> {
  if (disk.readOnly) return disk
  const file = keptPath(disk, directory)
  if (disk.role === 'tpm') return await copyPlain(disk, file)
  const virtualSize = await virtualSizeOf(disk)
  const name = `${disk.format} ${virtualSize} ${disk.file}`
  const template = templates.get(name)
  if (template === undefined) {
    await createOverlay(file, { file: disk.file, format: disk.format, virtualSize })
    remember(name, await readFile(file))
  } else {
    await writeFile(file, template, { flag: 'wx', mode: 0o600 }).catch((error: unknown) => {
      throw fileError(error, file)
    })
  }
  return { ...disk, file, format: 'qcow2' }
}

function remember(name: string, template: Buffer): void {
  const [oldest] = templates.keys()
  if (templates.size >= REMEMBERED && oldest !== undefined) templates.delete(oldest)
  templates.set(name, template)
}

async function virtualSizeOf({ file, format }: Disk): Promise<number> {
  if (format === 'qcow2') return (await readQcow2Header(file)).virtualSize
  const { size } = await stat(file).catch((error: unknown) => {
    throw fileError(error, file)
  })
  return size
}
