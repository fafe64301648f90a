import { z } from 'zod'
import { nearest } from './nearest.js'

/**
 * The schema of an object of options. An option that it does not know is an error, since it is
 * most likely a typing error, and the message names the option that was probably meant.
 *
 * @param shape - the schema of each option
 */
export function optionsSchema<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? unknownOption(issue.keys, known) : undefined,
  })
}

function unknownOption(unknown: readonly string[], known: readonly string[]): string {
  const guess = unknown.length === 1 ? nearest(unknown[0] as string, known) : undefined
  const choice = `the options are ${known.join(', ')}`
  return guess === undefined ? choice : `did you mean "${guess}"? ${choice}`
}

/** Milliseconds, as Vitest's own timeouts are. */
export const timeoutSchema = z
  .number('a timeout is a whole number of milliseconds above 0')
  .int('a timeout is a whole number of milliseconds above 0')
  .positive('a timeout is a whole number of milliseconds above 0')

/** A QEMU binary: a path, or a name to look up in `PATH`. */
export const qemuSchema = z
  .string('a QEMU binary is a path or a name')
  .min(1, 'a QEMU binary is a path or a name')

/** What cancels a call; of another realm, too, as Vitest's pools of VMs have it. */
export const signalSchema = z.custom<AbortSignal>(
  (value) => typeof value === 'object' && value !== null && 'aborted' in value && 'reason' in value,
  'it must be an AbortSignal',
)

/** What is called with something. */
export const callbackSchema = z.custom<(...args: never[]) => unknown>(
  (value) => typeof value === 'function',
  'it must be a function',
)

/** An option that is checked elsewhere. */
export const anySchema = z.unknown().optional()
