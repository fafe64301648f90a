import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { isVmStatesError, VmStatesError } from '../params/errors.js'
import { fileError } from '../qemu/file-error.js'
import { convert } from '../qemu/qemu-img/convert.js'
import { syncPath } from '../store/files/sync-path.js'
import { newNonce } from '../store/names.js'
import { requireSoundChain } from './backing-chain.js'
import { hasQcow2Magic } from './image-format.js'
import { refuseInUse } from './refuse-in-use.js'

/** Formats by the ending of a file's name; a qcow2 image is known by its header. */
const FORMATS: Record<string, string> = {
  '.raw': 'raw',
  '.img': 'raw',
  '.vmdk': 'vmdk',
  '.vdi': 'vdi',
  '.vhd': 'vpc',
  '.vhdx': 'vhdx',
}

/** What a conversion may be told. */
export interface ConvertOptions {
  /** The source's format, by qemu-img's name of it, where header and name do not tell. */
  sourceFormat?: string
  signal?: AbortSignal
}

async function sourceFormat(source: string, told: string | undefined): Promise<string> {
  const isQcow2 = await hasQcow2Magic(source)
  const format = told ?? (isQcow2 ? 'qcow2' : FORMATS[extname(source).toLowerCase()])
  if (format === undefined || (format === 'raw' && isQcow2)) {
    const problem = isQcow2
      ? 'is to be raw, but starts as qcow2'
      : 'has a name that tells no format'
    throw new VmStatesError('IMAGE_FORMAT_UNCLEAR', `${source} ${problem}`, {
      hint: 'Say which format it has, by the name that qemu-img knows it by: --format raw, for one.',
    })
  }
  return format
}

const sameFile = async (one: string, other: string): Promise<boolean> => {
  const [first, second] = await Promise.all([stat(one), stat(other).catch(() => undefined)])
  return first.ino === second?.ino && first.dev === second.dev
}

/**
 * Converts an image, with everything under it, to one qcow2 file. A target that is there is
 * replaced once the new one is complete; its directory is made. After avocado-i2n's `convert_image`.
 *
 * @param source - an image in any format that qemu-img reads
 * @param target - where the qcow2 image goes
 * @throws VmStatesError `IMAGE_MISSING`, `IMAGE_DAMAGED`, `IMAGE_UNSUPPORTED`, `IMAGE_IN_USE` if a machine runs on the source or the
 *   target, `IMAGE_FORMAT_UNCLEAR`, `DISK_FULL`, `ACCESS_DENIED`, `QEMU_IMG_FAILED`; the target is
 *   untouched then
 */
export async function convertImage(
  source: string,
  target: string,
  options: ConvertOptions = {},
): Promise<void> {
  const from = resolve(source)
  const to = resolve(target)
  const { signal } = options
  const fromFormat = await sourceFormat(from, options.sourceFormat)
  if (await sameFile(from, to)) {
    throw new VmStatesError('INVALID_VALUE', `source and target are the same file: ${from}`)
  }
  if (fromFormat === 'qcow2') await requireSoundChain(from)
  const unfinished = join(dirname(to), `.${basename(to)}.${newNonce()}.tmp`)
  try {
    await mkdir(dirname(to), { recursive: true })
    await refuseInUse(to, signal)
    await convert({ from, fromFormat, to: unfinished, toFormat: 'qcow2' }, { signal })
    await syncPath(unfinished)
    await rename(unfinished, to)
    await syncPath(dirname(to))
  } catch (error) {
    if (isVmStatesError(error, 'DISK_FULL')) {
      const problem = `${to} cannot be written: no space is left on the device`
      throw new VmStatesError('DISK_FULL', problem, { cause: error })
    }
    throw fileError(error, to)
  } finally {
    await rm(unfinished, { force: true })
  }
}
