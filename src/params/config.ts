import { z } from 'zod'
import { durationSchema } from './duration.js'
import { maxMachinesSchema, maxMemorySchema } from './limits.js'
import { optionsSchema, qemuSchema } from './options.js'
import { DEFAULT_QEMU } from './qemu.js'
import { sizeSchema } from './size.js'

const pathSchema = z.string('a path is text').min(1, 'a path cannot be empty')

/** What to do for a state that is not in the store: build it, or fail. */
export const buildSchema = z.enum(['missing', 'never'], 'build is "missing" or "never"')

/** What the store may keep. */
const gcSchema = optionsSchema({
  /** Bytes on the disk; what was used longest ago goes first. By default, it depends on the disk. */
  maxSize: sizeSchema.optional(),
  /** What was not used for so long goes; `30 days` by default. */
  maxAge: durationSchema.optional(),
})

/** What becomes of the machines of a test that fails. */
export const onFailureSchema = z.enum(['discard', 'keep'], 'onFailure is "discard" or "keep"')

const COUNT = 'a number of failures is a whole number above 0'

/** How much of failed tests is kept. */
const keepSchema = optionsSchema({
  /** Bytes on the disk that all of it may take; the oldest goes first. */
  maxSize: sizeSchema.default(4 * 2 ** 30),
  /** How many failures of one run are kept: the first ones. */
  perRun: z.number(COUNT).int(COUNT).positive(COUNT).default(5),
})

/** What `states.config.ts` may say. */
export const configSchema = optionsSchema({
  /** The files that define machines and states, relative to the configuration file. */
  states: z
    .union([pathSchema, z.array(pathSchema)], 'states is a path or a list of paths')
    .transform((paths) => (typeof paths === 'string' ? [paths] : paths))
    .default([]),
  /** The directory of the store, relative to the configuration file. */
  store: pathSchema.optional(),
  build: buildSchema.default('missing'),
  /** What a run of the tests leaves for people, such as the logs of failed builds. */
  artifacts: optionsSchema({
    /** Relative to the configuration file. */
    directory: pathSchema,
  }).optional(),
  /** Whether the first Ctrl-C ends tests and machines in order, before Vitest exits. */
  gracefulExit: z.boolean('gracefulExit is true or false').default(true),
  /** How much memory the machines of all runs on this host may take at once. */
  maxMemory: maxMemorySchema.optional(),
  /** How many machines of all runs on this host may run at once. */
  maxMachines: maxMachinesSchema.optional(),
  /** The QEMU of machines that name none: a path relative to the configuration file, or a name. */
  qemu: qemuSchema.default(DEFAULT_QEMU),
  gc: gcSchema.prefault({}),
  /** Whether a test that fails leaves its machines, as they stood, as a state to step into. */
  onFailure: onFailureSchema.default('discard'),
  keep: keepSchema.prefault({}),
})

/** The configuration as a user writes it. */
export type Config = z.input<typeof configSchema>

/**
 * Gives the configuration its type; `states.config.ts` exports its result as default.
 *
 * @param config - where the states are defined, and where they are kept
 */
export function defineConfig(config: Config): Config {
  return config
}
