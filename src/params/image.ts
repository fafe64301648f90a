import { z } from 'zod'
import { architectureSchema } from './architecture.js'
import { optionsSchema } from './options.js'
import { sizeSchema } from './size.js'

/** Formats of disk images that a machine can start from. */
const formatSchema = z.enum(['qcow2', 'raw'], 'a format is "qcow2" or "raw"')

const CHECKSUM = 'a sha256 checksum is 64 hexadecimal digits'

const ADDRESS = 'a URL starts with http:// or https://'

const fileImageSchema = optionsSchema({
  kind: z.literal('file'),
  /** Absolute, or relative to the file that defines the states. */
  path: z.string('a path is text').min(1, 'a path cannot be empty'),
  format: formatSchema.optional(),
})

const urlImageSchema = optionsSchema({
  kind: z.literal('url'),
  url: z.url({ protocol: /^https?$/, error: ADDRESS }),
  /** Of the file as it is downloaded. */
  sha256: z
    .string(CHECKSUM)
    .regex(/^[0-9a-f]{64}$/i, CHECKSUM)
    .transform((text) => text.toLowerCase()),
  format: formatSchema.optional(),
})

/** The size of an empty disk, as the guest sees it; parsed to bytes. */
export const blankSizeSchema = sizeSchema.refine(
  (bytes) => bytes % 512 === 0,
  'a disk has a multiple of 512 bytes, the size of a sector',
)

const blankImageSchema = optionsSchema({ kind: z.literal('blank'), size: blankSizeSchema })

const tinyImageSchema = optionsSchema({
  kind: z.literal('tiny'),
  /** That of the machine whose image it is. */
  arch: architectureSchema.default('x86_64'),
})

/** Where a chain of disks starts. */
export const imageSchema = z.discriminatedUnion(
  'kind',
  [fileImageSchema, urlImageSchema, blankImageSchema, tinyImageSchema],
  'an image is made by image.file(), image.url(), image.blank() or image.tiny()',
)

/** An image as the functions of `image` make it and a machine takes it. */
export type ImageInput = z.input<typeof imageSchema>

/** An image with its values checked and its units turned into numbers. */
export type Image = z.output<typeof imageSchema>
