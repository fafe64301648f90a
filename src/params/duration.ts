import { z } from 'zod'

const SECOND = 1000
const DAY = 86_400 * SECOND

/** Milliseconds of each unit. */
const UNITS = {
  ms: 1,
  s: SECOND,
  min: 60 * SECOND,
  h: 3600 * SECOND,
  day: DAY,
  days: DAY,
  week: 7 * DAY,
  weeks: 7 * DAY,
} as const

const DURATION = /^(?<count>\d+(?:\.\d+)?)\s?(?<unit>ms|s|min|h|days?|weeks?)$/

const MESSAGE =
  'a duration is a whole number of milliseconds above 0, or text such as "90 s", "12 h" or "30 days"'

function toMilliseconds(text: string): number | undefined {
  const { count, unit } = DURATION.exec(text)?.groups ?? {}
  if (count === undefined) return undefined
  const milliseconds = Number(count) * UNITS[unit as keyof typeof UNITS]
  return Math.round(milliseconds)
}

/** A duration, written as milliseconds or as text with a unit; parsed to milliseconds. */
export const durationSchema = z
  .union([z.number(), z.string()], MESSAGE)
  .transform((value, context) => {
    const milliseconds = typeof value === 'number' ? value : toMilliseconds(value)
    if (milliseconds !== undefined && Number.isSafeInteger(milliseconds) && milliseconds > 0) {
      return milliseconds
    }
    context.addIssue({ code: 'custom', message: MESSAGE, input: value })
    return z.NEVER
  })
