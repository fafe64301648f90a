import { z } from 'zod'

/** Names of machines, states, disks and network cards: file-name and snapshot-tag safe. */
export const MAX_NAME_LENGTH = 128

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

/**
 * A name. Names that are all digits are refused since `qemu-img snapshot -a 2` takes `2` for an ID
 * before it takes it for a tag.
 */
export const nameSchema = z
  .string()
  .max(MAX_NAME_LENGTH, `a name has at most ${MAX_NAME_LENGTH} characters`)
  .regex(NAME, {
    error: 'a name starts with a letter or digit and goes on with letters, digits, ".", "_", "-"',
    abort: true,
  })
  .refine((name) => !/^\d+$/.test(name), 'a name cannot be all digits')
  .refine((name) => !name.includes('..'), 'a name cannot hold ".."')

/** The name of a machine in an environment: a directory beside an object's files, which have dots. */
export const memberNameSchema = nameSchema.refine(
  (name) => !name.includes('.'),
  'the name of a member cannot hold "."',
)

/** Names that mean something by themselves: the image as it is, and the machine booted and ready. */
const RESERVED_STATE_NAMES: readonly string[] = ['root', 'boot']

/** The name of a state that a user defines. */
export const stateNameSchema = nameSchema.refine(
  (name) => !RESERVED_STATE_NAMES.includes(name),
  'the names "root" and "boot" are reserved: the image as it is, and the machine booted and ready',
)
