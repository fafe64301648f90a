import { mkdir, rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { VmStatesError } from '../params/errors.js'
import type { Image } from '../params/image.js'
import type { DirectKernel } from '../qemu/machine/launch-options.js'
import { createBlank } from '../qemu/qemu-img/create.js'
import { inStore } from '../store/files/storage-error.js'
import type { StoredObject } from '../store/objects/manifest.js'
import type { Store } from '../store/store.js'
import { readBackingChain } from './backing-chain.js'
import { downloadFile } from './download/download-file.js'
import { judgeImage } from './download/judge-image.js'
import { showUrl } from './download/request.js'
import { ensureObject } from './ensure-object.js'
import { type ImageContext, identifyChain, identifyImage } from './identify-image.js'
import { buildTiny, TINY_FILES } from './tiny/build.js'
import { kernelParameters } from './tiny/platform.js'
import { tinyIdentity } from './tiny/recipe.js'

/** How far the work for an image is. */
export interface ImageProgress {
  /** What is done right now, for people. */
  activity: string
  /** Bytes that are done and bytes that there are, where they are known. */
  done?: number
  total?: number
}

/** What {@link resolveImage} may be told. */
export interface ResolveOptions extends ImageContext {
  onProgress?: ((progress: ImageProgress) => void) | undefined
}

/** An image that is there. Its files must never be written to. */
export interface ResolvedImage {
  /** The same as {@link identifyImage} tells. */
  identity: string
  disk: { file: string; format: 'qcow2' | 'raw' }
  /** For images that QEMU boots without firmware and boot loader. */
  directKernel?: DirectKernel
  /** The store's object that holds the files; absent for a user's own file. */
  objectId?: string
}

type Of<Kind extends Image['kind']> = Extract<Image, { kind: Kind }>

async function resolveFile(
  { path, format }: Of<'file'>,
  store: Store,
  { baseDirectory = process.cwd(), signal }: ResolveOptions,
): Promise<ResolvedImage> {
  const chain = await readBackingChain(resolve(baseDirectory, path), format)
  const [first] = chain
  if (first === undefined) throw new TypeError('a chain has at least one file')
  return { identity: await identifyChain(chain, store, signal), disk: first }
}

const diskFile = (format: 'qcow2' | 'raw'): string => `disk.${format}`

function formatOf({ manifest }: StoredObject): 'qcow2' | 'raw' {
  return (manifest.meta as { format: 'qcow2' | 'raw' }).format
}

async function fetchImage(
  { url, sha256, format: told }: Of<'url'>,
  store: Store,
  directory: string,
  { signal, onProgress }: ResolveOptions,
): Promise<{ format: 'qcow2' | 'raw' }> {
  const downloads = join(store.root, 'downloads')
  const partial = join(downloads, sha256)
  await inStore(downloads, () => mkdir(downloads, { recursive: true, mode: 0o700 }))
  const activity = `downloading ${showUrl(url)}`
  await downloadFile(url, partial, sha256, {
    signal,
    onProgress: ({ received, total }) =>
      onProgress?.({ activity, done: received, ...(total === undefined ? {} : { total }) }),
  })
  const format = await judgeImage(partial, url, told)
  await rename(partial, join(directory, diskFile(format)))
  return { format }
}

async function resolveUrl(
  image: Of<'url'>,
  store: Store,
  options: ResolveOptions,
): Promise<ResolvedImage> {
  const make = (directory: string) => fetchImage(image, store, directory, options)
  const object = await ensureObject(store, `image-${image.sha256}`, make, options.signal)
  const format = formatOf(object)
  if (image.format !== undefined && image.format !== format) {
    throw new VmStatesError(
      'IMAGE_FORMAT_UNCLEAR',
      `the image at ${showUrl(image.url)} is to be ${image.format}, but was downloaded as ${format}`,
    )
  }
  const file = join(object.directory, diskFile(format))
  return { identity: `sha256:${image.sha256}`, disk: { file, format }, objectId: object.id }
}

async function resolveBlank(
  { size }: Of<'blank'>,
  store: Store,
  { signal }: ResolveOptions,
): Promise<ResolvedImage> {
  const make = async (directory: string) => {
    await createBlank(join(directory, diskFile('qcow2')), size, { signal })
    return { format: 'qcow2' }
  }
  const object = await ensureObject(store, `image-blank-${size}`, make, signal)
  const file = join(object.directory, diskFile('qcow2'))
  return { identity: `blank:${size}`, disk: { file, format: 'qcow2' }, objectId: object.id }
}

async function resolveTiny(
  { arch }: Of<'tiny'>,
  store: Store,
  { signal, onProgress }: ResolveOptions,
): Promise<ResolvedImage> {
  const identity = await tinyIdentity(arch)
  const make = async (directory: string) => {
    await buildTiny(directory, arch, signal, (activity) => onProgress?.({ activity }))
    return { format: 'qcow2' }
  }
  const { id, directory } = await ensureObject(store, `image-tiny-${identity}`, make, signal)
  return {
    identity: `tiny:${identity}`,
    disk: { file: join(directory, TINY_FILES.disk), format: 'qcow2' },
    directKernel: {
      kernel: join(directory, TINY_FILES.kernel),
      initrd: join(directory, TINY_FILES.initrd),
      append: kernelParameters(arch),
    },
    objectId: id,
  }
}

/**
 * Makes an image available: downloads or builds it if it is not in the store. A file is used where
 * it is.
 *
 * @throws VmStatesError what {@link identifyImage} throws; `DOWNLOAD_FAILED`, `CHECKSUM_MISMATCH`,
 *   `IMAGE_UNTRUSTED` for downloads; `TINY_UNAVAILABLE`, `TOOL_MISSING`, `TOOL_FAILED` for the tiny
 *   guest; `DISK_FULL`, `ABORTED`
 */
export async function resolveImage(
  image: Image,
  store: Store,
  options: ResolveOptions = {},
): Promise<ResolvedImage> {
  switch (image.kind) {
    case 'file':
      return resolveFile(image, store, options)
    case 'url':
      return resolveUrl(image, store, options)
    case 'blank':
      return resolveBlank(image, store, options)
    case 'tiny':
      return resolveTiny(image, store, options)
  }
}
