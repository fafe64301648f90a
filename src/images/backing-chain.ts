import { dirname, resolve } from 'node:path'
import { isVmStatesError, VmStatesError } from '../params/errors.js'
import { readQcow2Header } from '../qemu/qcow2/header.js'
import { hasQcow2Magic, imageFormat } from './image-format.js'

/** One file of a chain of images. */
export interface ChainLink {
  /** Absolute path. */
  file: string
  format: 'qcow2' | 'raw'
}

/** As QEMU tells a protocol from a path: a colon before any slash. */
const PROTOCOL = /^[^/]+:/

function unsupported(file: string, problem: string): VmStatesError {
  return new VmStatesError('IMAGE_UNSUPPORTED', `${file} ${problem}`)
}

/** The file under a qcow2 image, by its header alone. */
async function backingOf(file: string): Promise<ChainLink | undefined> {
  const header = await readQcow2Header(file)
  if (header.dataFile !== undefined) throw unsupported(file, 'keeps its data in another file')
  if (header.encrypted) throw unsupported(file, 'is encrypted')
  if (header.unknownFeatureBits.length > 0) {
    const bits = header.unknownFeatureBits.join(', ')
    throw unsupported(file, `needs features that are not known here: bits ${bits}`)
  }
  if (header.backingFile === undefined) return undefined
  if (PROTOCOL.test(header.backingFile)) {
    throw unsupported(file, `has a backing file that is not a file: ${header.backingFile}`)
  }
  const backing = resolve(dirname(file), header.backingFile)
  const told = header.backingFormat
  if (told !== undefined && told !== 'qcow2' && told !== 'raw') {
    throw unsupported(file, `has a backing file of the format ${told}`)
  }
  // Without a format in the header, QEMU looks at the backing file itself.
  return { file: backing, format: told ?? ((await hasQcow2Magic(backing)) ? 'qcow2' : 'raw') }
}

/**
 * Refuses a qcow2 image that qemu-img would read without end, not at all, or in part as zeros and
 * without an error: one that is truncated, lacks a backing file, or is in a circle of them. Only
 * headers are read, and none but those of qcow2 files.
 *
 * @param file - absolute path
 * @throws VmStatesError `IMAGE_DAMAGED`, `IMAGE_MISSING`, `IMAGE_UNSUPPORTED` for a circle
 */
export async function requireSoundChain(file: string): Promise<void> {
  const seen = new Set<string>()
  for (let next = file; ; ) {
    if (seen.has(next)) throw unsupported(file, `is its own backing file, through ${next}`)
    seen.add(next)
    const { backingFile, backingFormat = 'qcow2' } = await readQcow2Header(next)
    if (backingFile === undefined || PROTOCOL.test(backingFile)) return
    const backing = resolve(dirname(next), backingFile)
    const isQcow2 = await hasQcow2Magic(backing).catch((error: unknown) => {
      throw isVmStatesError(error, 'IMAGE_MISSING') ? backingMissing(next, backing) : error
    })
    if (backingFormat !== 'qcow2' || !isQcow2) return
    next = backing
  }
}

function backingMissing(file: string, backing: string): VmStatesError {
  return new VmStatesError('IMAGE_MISSING', `${file} stands on ${backing}, which does not exist`, {
    hint: 'Put that file back, or tell the image where it is now: qemu-img rebase -u.',
  })
}

/**
 * An image of the user's own and every file under it, the image first, as their headers say.
 *
 * @param file - absolute path
 * @throws VmStatesError `IMAGE_UNSUPPORTED` for what is not a chain of plain files, and what
 *   {@link imageFormat} throws for each of them
 */
export async function readBackingChain(
  file: string,
  told?: 'qcow2' | 'raw',
): Promise<readonly ChainLink[]> {
  const chain: ChainLink[] = []
  let next: ChainLink | undefined = { file, format: await imageFormat(file, file, told) }
  while (next !== undefined) {
    const link: ChainLink = next
    if (chain.some((other) => other.file === link.file)) {
      throw unsupported(file, `is its own backing file, through ${link.file}`)
    }
    if (chain.length > 0) await imageFormat(link.file, link.file, link.format)
    chain.push(link)
    next = link.format === 'qcow2' ? await backingOf(link.file) : undefined
  }
  return chain
}
