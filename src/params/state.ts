import { z } from 'zod'
import { durationSchema } from './duration.js'
import { optionsSchema, timeoutSchema } from './options.js'

/** What a state's content depends on besides its setup's own text: a change makes a new state. */
const inputsSchema = optionsSchema({
  /** Values by name, such as the loop variable that the setup uses. */
  values: z.record(z.string(), z.json()).default({}),
  /** Files whose content counts, and globs: absolute, or relative to the file that defines the state. */
  files: z.array(z.string().min(1, 'a path cannot be empty')).default([]),
})

const common = {
  inputs: inputsSchema.prefault({}),
  /** A state that was built longer ago is built anew when it is next asked for. */
  maxAge: durationSchema.optional(),
  /**
   * Asked once per process what the world is like, for a setup whose outcome changes with it: the
   * serial of a mirror, say. Another answer, as JSON, makes a new state.
   */
  refresh: z
    .custom<() => unknown>((value) => typeof value === 'function', 'a refresh is a function')
    .optional(),
  /** Milliseconds that the setup may take. */
  timeout: timeoutSchema.default(600_000),
  /** Milliseconds from the request to power off until the guest has done so (disk states). */
  shutdownTimeout: timeoutSchema.default(60_000),
}

/** What a user may say about a disk state besides its name and its setup. */
export const stateOptionsSchema = optionsSchema({
  ...common,
  /** What keeps it: an overlay file, or a snapshot inside the qcow2, as `qemu-img snapshot` makes. */
  backend: z
    .enum(['external', 'internal'], 'a backend of disk states is "external" or "internal"')
    .default('external'),
})

/** The same about a live state. */
export const liveStateOptionsSchema = optionsSchema({
  ...common,
  /** What keeps it: files of RAM and devices beside overlays, or a snapshot with RAM inside the qcow2. */
  backend: z.enum(['fork', 'live'], 'a backend of live states is "fork" or "live"').default('fork'),
})

/** Options of a disk state as a user writes them. */
export type StateOptions = z.input<typeof stateOptionsSchema>

/** Options of a live state as a user writes them. */
export type LiveStateOptions = z.input<typeof liveStateOptionsSchema>

/** Options of a state with the defaults filled in. */
export type ParsedStateOptions =
  | z.output<typeof stateOptionsSchema>
  | z.output<typeof liveStateOptionsSchema>
