import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ImageBackend, ImageTarget } from '../../backends/image-backend.js'
import { VmStatesError } from '../../params/errors.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { readQcow2Header } from '../../qemu/qcow2/header.js'
import type { Subject } from '../../states/policies/operations.js'
import { type BackendName, loadBackend, OFFLINE, parseBackendName } from './backends.js'

/** How the command line says which disks a state is of, and how it is kept. */
export interface ImageOptions {
  backend?: string
  /** Further disks of the machine. */
  disk?: string[]
  /** The QMP socket of the QEMU that runs on them. */
  qmp?: string
}

/** The images of a command line, ready for a backend. */
export interface OpenImages {
  target: ImageTarget
  /** The backends that the options leave to choose from, one or more. */
  backends: readonly ImageBackend[]
}

/**
 * Opens the images that a command works on, and closes them when it is done.
 *
 * @throws VmStatesError `USAGE`, and whatever `use` throws
 */
export async function withImages<Result>(
  file: string,
  options: ImageOptions,
  signal: AbortSignal,
  use: (images: OpenImages) => Promise<Result>,
): Promise<Result> {
  const names = await chooseBackends(file, options)
  const disks = nameDisks([file, ...(options.disk ?? [])].map(realFile))
  const backends = await Promise.all(names.map(loadBackend))
  if (options.qmp === undefined) return await use({ target: { disks }, backends })
  const { connectQmp } = await import('../../qemu/qmp/connect.js')
  const qmp = await connectQmp(options.qmp, { signal })
  try {
    return await use({ target: { disks, process: { qmp } }, backends })
  } finally {
    qmp.close()
  }
}

/**
 * The state of the images that is meant, with the backend that keeps it.
 *
 * @returns a subject whose state may be missing: that is for the policies to judge
 * @throws VmStatesError `STATE_AMBIGUOUS` if two backends have a state of this name
 */
export async function findSubject(
  { target, backends }: OpenImages,
  tag: string,
  signal: AbortSignal,
): Promise<Subject> {
  const [first, ...others] = backends as readonly [ImageBackend, ...ImageBackend[]]
  if (others.length === 0) return { backend: first, target, tag }
  const having: ImageBackend[] = []
  for (const backend of backends) {
    if (await backend.check(target, tag, { signal })) having.push(backend)
  }
  if (having.length > 1) {
    const names = having.map(({ name }) => name).join(' and ')
    const message = `${target.disks[0]?.file} has a state ${JSON.stringify(tag)} in both ${names}`
    throw new VmStatesError('STATE_AMBIGUOUS', message, { hint: 'Say which: --backend NAME' })
  }
  return { backend: having[0] ?? first, target, tag }
}

async function chooseBackends(
  file: string,
  { backend, qmp }: ImageOptions,
): Promise<readonly BackendName[]> {
  const name = backend === undefined ? undefined : parseBackendName(backend)
  if (name === 'live' && qmp === undefined) {
    throw new VmStatesError('USAGE', 'the backend live works on a running QEMU', {
      hint: 'Say --qmp SOCKET, of a QEMU that was started with -qmp unix:SOCKET,server=on,wait=off',
    })
  }
  if (qmp === undefined && name !== undefined) return [name]
  if (qmp === undefined) return (await hasSnapshots(file)) ? [...OFFLINE, 'live'] : OFFLINE
  if (name === undefined || name === 'live') return ['live']
  throw new VmStatesError('USAGE', `--qmp goes with the backend live, not with ${name}`)
}

/** Only such an image can have live states, and listing them takes a process. */
async function hasSnapshots(file: string): Promise<boolean> {
  try {
    return (await readQcow2Header(file)).snapshotCount > 0
  } catch {
    // What is wrong with the image is for the backends to say.
    return false
  }
}

/** Where a link leads: states are kept in and beside the file itself. */
function realFile(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // What is wrong with the path is for the backends to say.
    return resolve(path)
  }
}

function nameDisks(files: readonly string[]): Disk[] {
  const twice = files.find((file, index) => files.indexOf(file) !== index)
  if (twice !== undefined) throw new VmStatesError('USAGE', `${twice} is given twice`)
  return files.map((file, index) => ({
    name: index === 0 ? 'image' : `disk${index}`,
    file,
    format: 'qcow2',
  }))
}
