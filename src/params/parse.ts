import type { z } from 'zod'
import type { ErrorCode } from './error-codes.js'
import { VmStatesError } from './errors.js'

const MAX_SHOWN = 80

/** Options that errors, which end up in logs, do not show. */
const SECRET = /passw?o?r?d/i

function withoutSecret(key: string, value: unknown): unknown {
  return SECRET.test(key) && typeof value === 'string' && value !== '' ? '(hidden)' : value
}

/**
 * A value as an error shows it: short, on one line.
 *
 * @param key - what the value is the value of; passwords are not shown
 */
export function showValue(value: unknown, key: PropertyKey = ''): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'function') return 'a function'
  let text: string | undefined
  try {
    text = JSON.stringify(withoutSecret(String(key), value), withoutSecret)
  } catch {
    text = undefined
  }
  text ??= String(value)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 1)}…` : text
}

function showPath(root: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}.${String(key)}`),
    root,
  )
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  )
}

/**
 * Checks a value that a user wrote against its schema.
 *
 * @param where - what the value is, as its reader knows it: `machine("debian")`, `states.config.ts`
 * @returns the parsed value, units turned into numbers and defaults filled in
 * @throws VmStatesError `INVALID_VALUE` (or `code`) with the path, the value and what would be right
 */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: string,
  code: ErrorCode = 'INVALID_VALUE',
): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const lines = result.error.issues.flatMap((issue) => {
    const paths =
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => [...issue.path, key])
        : [issue.path]
    return paths.map(
      (path) =>
        `${showPath(where, path)} is ${showValue(valueAt(value, path), path.at(-1))}: ${issue.message}`,
    )
  })
  throw new VmStatesError(code, lines.join('\n'))
}
