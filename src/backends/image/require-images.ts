import { VmStatesError } from '../../params/errors.js'
import { type Qcow2Header, readQcow2Header } from '../../qemu/qcow2/header.js'
import type { ImageTarget } from '../image-backend.js'

/** A disk's image and what its header says. */
export interface Image {
  /** Absolute path. */
  file: string
  header: Qcow2Header
}

async function requireImage(file: string): Promise<Image> {
  const header = await readQcow2Header(file)
  const { unknownFeatureBits, incompatibleFeatures } = header
  if (unknownFeatureBits.length > 0) {
    const bits = unknownFeatureBits.join(', ')
    throw new VmStatesError('IMAGE_UNSUPPORTED', `${file} needs unknown qcow2 features (${bits})`)
  }
  if (incompatibleFeatures.includes('corrupt')) {
    throw new VmStatesError('IMAGE_DAMAGED', `${file} is marked as corrupt`, {
      hint: 'See what "qemu-img check -r all" can save of it.',
    })
  }
  return { file, header }
}

/**
 * The images of a target, in an order that does not depend on the one its disks are given in.
 *
 * @throws VmStatesError if one is missing, damaged or no qcow2 image
 */
export async function requireImages({ disks }: ImageTarget): Promise<Image[]> {
  const raw = disks.find(({ format }) => format !== 'qcow2')
  if (raw !== undefined) {
    throw new VmStatesError('IMAGE_NOT_QCOW2', `${raw.file} is a ${raw.format} image, not qcow2`, {
      hint: 'Convert it with "states convert".',
    })
  }
  const files = [...new Set(disks.map(({ file }) => file))].sort()
  return Promise.all(files.map(requireImage))
}
