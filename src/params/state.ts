import { z } from 'zod'
import { optionsSchema, timeoutSchema } from './options.js'

/** What a state's content depends on besides its setup's own text: a change makes a new state. */
const inputsSchema = optionsSchema({
  /** Values by name, such as the loop variable that the setup uses. */
  values: z.record(z.string(), z.json()).default({}),
  /** Files whose content counts: absolute, or relative to the file that defines the state. */
  files: z.array(z.string().min(1, 'a path cannot be empty')).default([]),
})

/** What a user may say about a state besides its name and its setup. */
export const stateOptionsSchema = optionsSchema({
  inputs: inputsSchema.prefault({}),
  /** Milliseconds that the setup may take. */
  timeout: timeoutSchema.default(600_000),
  /** Milliseconds from the request to power off until the guest has done so (disk states). */
  shutdownTimeout: timeoutSchema.default(60_000),
})

/** Options of a state as a user writes them. */
export type StateOptions = z.input<typeof stateOptionsSchema>

/** Options of a state with the defaults filled in. */
export type ParsedStateOptions = z.output<typeof stateOptionsSchema>
