import { z } from 'zod'

const UNITS = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const

const SIZE = /^(?<count>\d+(?:\.\d+)?)\s?(?<unit>B|KiB|MiB|GiB|TiB)$/

const MESSAGE =
  'a size is a whole number of bytes from 1 on, or text such as "512 MiB" or "1.5 GiB"'

function toBytes(text: string): number | undefined {
  const match = SIZE.exec(text)
  if (match?.groups === undefined) return undefined
  const { count, unit } = match.groups
  const bytes = Number(count) * UNITS[unit as keyof typeof UNITS]
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** A size, written as bytes or as text with a binary unit; parsed to bytes. */
export const sizeSchema = z.union([z.number(), z.string()], MESSAGE).transform((value, context) => {
  const bytes = typeof value === 'number' ? value : toBytes(value)
  if (bytes !== undefined && Number.isSafeInteger(bytes) && bytes > 0) return bytes
  context.addIssue({ code: 'custom', message: MESSAGE, input: value })
  return z.NEVER
})

/** A size as a user writes it. */
export type SizeInput = z.input<typeof sizeSchema>
