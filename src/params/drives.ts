import { z } from 'zod'
import { imageSchema } from './image.js'
import { nameSchema } from './names.js'
import { optionsSchema } from './options.js'
import { sizeSchema } from './size.js'

/** The name of the disk that comes from the machine's image. */
export const IMAGE_DISK_NAME = 'image'

/** The name of the disk that holds the variables of UEFI firmware. */
export const VARIABLES_DISK_NAME = 'variables'

/** The name of the disk that tells cloud-init what to do, and the label that it is found by. */
export const SEED_DISK_NAME = 'cidata'

/** The name of the file that a machine's TPM stores its secrets in. */
export const TPM_DISK_NAME = 'tpm'

/** What a boot order calls the network card. */
export const NETWORK_BOOT_NAME = 'network'

/** Names that drives cannot have, and what they are. */
const TAKEN = new Map([
  [IMAGE_DISK_NAME, "the disk that comes from the machine's image"],
  [VARIABLES_DISK_NAME, 'the disk that holds the variables of UEFI firmware'],
  [SEED_DISK_NAME, 'the disk that cloud-init reads'],
  [TPM_DISK_NAME, "what the machine's TPM stores"],
  [NETWORK_BOOT_NAME, 'the network card in a boot order'],
  ['devices', 'the device state of a live state'],
])

const driveNameSchema = nameSchema.refine((name) => !TAKEN.has(name), {
  error: ({ input }) => `"${input}" is ${TAKEN.get(String(input))}`,
})

/** How a disk is attached, as its guest sees it. */
const busSchema = z.enum(
  ['virtio', 'scsi', 'sata', 'nvme', 'usb'],
  'a bus is "virtio", "scsi", "sata", "nvme" or "usb"',
)

/** What a disk is attached to. */
export type Bus = z.output<typeof busSchema>

/** The modes of QEMU's `-drive cache=`. */
const cacheSchema = z.enum(
  ['unsafe', 'writeback', 'writethrough', 'none', 'directsync'],
  'a cache is "unsafe", "writeback", "writethrough", "none" or "directsync"',
)

/** How the host caches a disk. */
export type Cache = z.output<typeof cacheSchema>

const attachment = {
  bus: busSchema.default('virtio'),
  /** Files that are to be kept are fsynced as a whole when they are: see docs/decisions/033-no-flush.md. */
  cache: cacheSchema.default('unsafe'),
}

/** How the disk of the machine's image is attached. */
export const imageDiskSchema = optionsSchema(attachment)

const diskSchema = optionsSchema({
  name: driveNameSchema,
  /** Of a blank disk. */
  size: sizeSchema.optional(),
  /** What it holds at first, unless it is blank. */
  image: imageSchema.optional(),
  ...attachment,
  readOnly: z.boolean('readOnly is true or false').default(false),
})
  .refine(
    ({ size, image }) => (size === undefined) !== (image === undefined),
    'a disk has either a size, and is blank at first, or an image',
  )
  .refine(({ bus, readOnly }) => bus !== 'sata' || !readOnly, {
    message: 'QEMU has no read-only disks on "sata": choose another bus',
    path: ['readOnly'],
  })

/** Disks besides the one of the machine's image. */
export const disksSchema = z.array(diskSchema)

/** CD-ROMs. */
export const cdromsSchema = z.array(
  optionsSchema({
    name: driveNameSchema,
    image: imageSchema,
    bus: z.enum(['sata', 'scsi'], 'the bus of a CD-ROM is "sata" or "scsi"').default('sata'),
  }),
)

/** The drives among the options of a machine. */
export interface DriveOptions {
  imageDisk: z.output<typeof imageDiskSchema>
  disks: z.output<typeof disksSchema>
  cdroms: z.output<typeof cdromsSchema>
  bootOrder?: readonly string[] | undefined
}

/** What is wrong with drives that are each right. */
export interface DriveIssue {
  path: (string | number)[]
  input: unknown
  message: string
}

/** Finds drives of one name, and what a boot order names and the machine has not got. */
export function findDriveIssues({ disks, cdroms, bootOrder = [] }: DriveOptions): DriveIssue[] {
  const names = new Set([IMAGE_DISK_NAME, NETWORK_BOOT_NAME])
  const issues: DriveIssue[] = []
  for (const [option, drives] of Object.entries({ disks, cdroms })) {
    for (const [index, { name }] of drives.entries()) {
      if (names.has(name)) {
        const message = 'every disk and every CD-ROM needs a name of its own'
        issues.push({ path: [option, index, 'name'], input: name, message })
      }
      names.add(name)
    }
  }
  for (const [index, name] of bootOrder.entries()) {
    if (names.has(name) && bootOrder.indexOf(name) === index) continue
    const message = names.has(name)
      ? 'a boot order names everything once'
      : `it can boot from ${[...names].join(', ')}`
    issues.push({ path: ['bootOrder', index], input: name, message })
  }
  return issues
}

/** Finds the first disk on a bus whose devices QEMU cannot save with a running machine. */
export function findUnsavableDisk({ imageDisk, disks }: DriveOptions): DriveIssue | undefined {
  const isUnsavable = ({ bus }: { bus: Bus }) => bus === 'nvme'
  const index = disks.findIndex(isUnsavable)
  if (!isUnsavable(imageDisk) && index === -1) return undefined
  const path = isUnsavable(imageDisk) ? ['imageDisk', 'bus'] : ['disks', index, 'bus']
  return { path, input: 'nvme', message: 'QEMU cannot save an NVMe controller' }
}
