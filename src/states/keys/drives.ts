import { type DriveOptions, IMAGE_DISK_NAME } from '../../params/drives.js'
import type { Image } from '../../params/image.js'

/** What the root of a machine holds besides its image: the content of further disks and of CD-ROMs. */
export async function driveContents(
  { disks, cdroms }: DriveOptions,
  identifyImage: (image: Image) => Promise<string>,
): Promise<Record<string, unknown>> {
  const contents = await Promise.all(
    disks.map(async ({ name, size, image }) =>
      image === undefined ? { name, size } : { name, image: await identifyImage(image) },
    ),
  )
  const discs = await Promise.all(
    cdroms.map(async ({ name, image }) => ({ name, image: await identifyImage(image) })),
  )
  return { disks: contents, ...(discs.length > 0 && { cdroms: discs }) }
}

/**
 * What a guest sees of its drives besides their content. How the host caches them is not, but for whether
 * they tell of a cache that is to be flushed.
 */
export function drivesPart(options: DriveOptions): Record<string, unknown> {
  const { imageDisk, disks, cdroms, bootOrder } = options
  const image = { name: IMAGE_DISK_NAME, ...imageDisk, readOnly: false }
  const drives = [image, ...disks].map(({ name, bus, cache, readOnly }) => ({
    name,
    bus,
    writesThrough: cache === 'writethrough' || cache === 'directsync',
    readOnly,
  }))
  const special = drives.filter(
    ({ bus, writesThrough, readOnly }) => bus !== 'virtio' || writesThrough || readOnly,
  )
  return {
    ...(special.length > 0 && { drives: special }),
    ...(cdroms.length > 0 && { cdromBuses: cdroms.map(({ bus }) => bus) }),
    ...(bootOrder && { bootOrder }),
  }
}
