import { VmStatesError } from '../../params/errors.js'
import { formatSize } from '../../params/format-size.js'
import { type Qcow2Header, readQcow2Header } from '../../qemu/qcow2/header.js'
import { imageFormat } from '../image-format.js'
import { showUrl } from './request.js'

/** Bytes; what a disk of a downloaded image may claim to be. */
const MAX_VIRTUAL_SIZE = 8 * 2 ** 40

function problemsOf(header: Qcow2Header): string[] {
  const { backingFile, dataFile, unknownFeatureBits, virtualSize } = header
  return [
    ...(backingFile === undefined ? [] : [`names a backing file, ${JSON.stringify(backingFile)}`]),
    ...(dataFile === undefined ? [] : [`names a data file, ${JSON.stringify(dataFile)}`]),
    ...(header.encrypted ? ['is encrypted'] : []),
    ...(header.incompatibleFeatures.includes('corrupt') ? ['is marked as corrupt'] : []),
    ...(unknownFeatureBits.length === 0
      ? []
      : [`needs unknown features, bits ${unknownFeatureBits.join(', ')}`]),
    ...(virtualSize > 0 && virtualSize <= MAX_VIRTUAL_SIZE
      ? []
      : [`claims to be a disk of ${formatSize(virtualSize)}`]),
  ]
}

/**
 * Judges a downloaded image by its own bytes, before any QEMU opens it: qemu-img would follow what
 * a header says, to any file of this host.
 *
 * @param file - absolute path of the downloaded file
 * @param url - where it came from
 * @param told - the format that the user gave
 * @returns its format
 * @throws VmStatesError `IMAGE_UNTRUSTED` with everything that is wrong, `IMAGE_FORMAT_UNCLEAR`,
 *   `IMAGE_NOT_QCOW2`, `IMAGE_DAMAGED`
 */
export async function judgeImage(
  file: string,
  url: string,
  told?: 'qcow2' | 'raw',
): Promise<'qcow2' | 'raw'> {
  const format = await imageFormat(file, new URL(url).pathname, told)
  if (format === 'raw') return format
  const problems = problemsOf(await readQcow2Header(file))
  if (problems.length === 0) return format
  throw new VmStatesError(
    'IMAGE_UNTRUSTED',
    `the image at ${showUrl(url)} ${problems.join(' and ')}`,
    {
      hint: 'A downloaded image must be one complete qcow2 or raw file.',
    },
  )
}
