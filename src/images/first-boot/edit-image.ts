import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { IMAGE_DISK_NAME } from '../../params/drives.js'
import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import type { FirstBoot } from '../../params/first-boot.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { createOverlay } from '../../qemu/qemu-img/create.js'
import { type DiskOpener, type OpenedDisk, withOpenedDisk } from '../appliance/open-disk.js'
import { ensureObject } from '../ensure-object.js'
import type { ResolvedImage } from '../resolve-image.js'
import { runTool } from '../run-tool.js'
import { firstBootIdentity } from './identity.js'
import { interfaceTexts, SET_INTERFACE } from './interfaces.js'
import { ADD_KEYS, PUT_FILES, RUN_LINE, SET_HOSTNAME, SET_PASSWORD } from './scripts.js'

const FILE = 'disk.qcow2'

/** Of files that say nothing else. */
const DEFAULT_MODE = 0o644

/**
 * An image with changes, as an overlay in the store; made if it is not there.
 *
 * @param image - stays as it is
 * @throws VmStatesError `TOOL_FAILED` naming the change that failed; `IMAGE_UNSUPPORTED`, `TINY_UNAVAILABLE`,
 *   `DISK_FULL`, `ABORTED`
 */
export async function editImage(
  image: ResolvedImage,
  firstBoot: FirstBoot,
  opener: Omit<DiskOpener, 'directory'>,
): Promise<ResolvedImage & { objectId: string }> {
  const { store, signal } = opener
  const make = async (directory: string) => {
    // Nothing stands on it until this has ended.
    await using _lease =
      image.objectId === undefined ? undefined : await store.lease(image.objectId)
    const disk: Disk = { name: IMAGE_DISK_NAME, file: join(directory, FILE), format: 'qcow2' }
    const { file, format } = image.disk
    const isInStore = image.objectId !== undefined
    const backing = { file: isInStore ? relative(directory, file) : file, format }
    await createOverlay(disk.file, backing, { signal })
    const work = await mkdtemp(join(directory, '.work-'))
    try {
      await edit(disk, firstBoot, { ...opener, directory: work })
    } finally {
      await rm(work, { recursive: true, force: true })
    }
    return {}
  }
  // What stands on a user's file stands on its path, too: it may be another one's content elsewhere.
  const place = image.objectId === undefined ? image.disk.file : ''
  const content = `${image.identity} ${place} ${firstBootIdentity(firstBoot)}`
  const key = `image-edited-${createHash('sha256').update(content).digest('hex')}`
  const parents = image.objectId === undefined ? [] : [image.objectId]
  const { id, directory } = await ensureObject(store, key, make, signal, parents)
  return { ...image, disk: { file: join(directory, FILE), format: 'qcow2' }, objectId: id }
}

async function edit(disk: Disk, firstBoot: FirstBoot, opener: DiskOpener): Promise<void> {
  const { hostname, interfaces = {}, rootPassword, sshKeys, files, run } = firstBoot
  const archive = join(opener.directory, 'files.tar')
  await packFiles(files, archive, opener)
  const transfer = { file: archive, readOnly: true }
  await withOpenedDisk('the image', disk, transfer, opener, async (opened) => {
    if (Object.keys(files).length > 0) await step(opened, 'files', PUT_FILES)
    if (hostname !== undefined) await step(opened, 'hostname', SET_HOSTNAME, [hostname])
    for (const [name, settings] of Object.entries(interfaces)) {
      await step(opened, `interfaces.${name}`, SET_INTERFACE, interfaceTexts(name, settings))
    }
    if (sshKeys.length > 0) await step(opened, 'sshKeys', ADD_KEYS, sshKeys)
    if (rootPassword !== undefined) {
      await step(opened, 'rootPassword', SET_PASSWORD, [rootPassword])
    }
    for (const [index, line] of run.entries()) {
      await step(opened, `run[${index}]`, RUN_LINE, [line])
    }
  })
}

async function step(
  disk: OpenedDisk,
  name: string,
  script: string,
  args: readonly string[] = [],
): Promise<void> {
  await disk.run(script, args).catch((cause: unknown) => {
    if (!isVmStatesError(cause, 'TOOL_FAILED')) throw cause
    const problem = `firstBoot.${name} cannot be done in the image: ${cause.message.split(': ').slice(1).join(': ')}`
    throw new VmStatesError('TOOL_FAILED', problem, { cause })
  })
}

/** As a tar file without directories: those of the image keep their permissions. */
async function packFiles(
  files: FirstBoot['files'],
  archive: string,
  { directory, signal }: DiskOpener,
): Promise<void> {
  const root = join(directory, 'files')
  await mkdir(root)
  const byMode = new Map<number, string[]>([[DEFAULT_MODE, []]])
  for (const [path, file] of Object.entries(files)) {
    const { content, mode = DEFAULT_MODE } = typeof file === 'string' ? { content: file } : file
    const place = join(root, path)
    await mkdir(dirname(place), { recursive: true })
    await writeFile(place, content)
    byMode.set(mode, [...(byMode.get(mode) ?? []), path])
  }
  const list = join(directory, 'names')
  const names = ['--null', '--verbatim-files-from', '--files-from', list]
  const owner = ['--owner=0', '--group=0', '--numeric-owner']
  for (const [mode, paths] of byMode) {
    await writeFile(list, paths.map((path) => `.${path}\0`).join(''))
    // Files that their owner may not read are packed, too.
    const options = ['--format=gnu', ...owner, `--mode=${mode.toString(8)}`]
    await runTool('tar', ['-rf', archive, ...options, '-C', root, ...names], { signal })
  }
}
