/** A part of a value: what an object must have at least. Anything else must be equal. */
export type Pattern = Readonly<Record<string, unknown>>

/**
 * Whether a value has what a pattern says. Of an object, properties that the pattern does not name may
 * be there too, so that `{}` matches any object, and nothing that is none. Arrays match item by item and
 * have the same length. `null` matches itself alone; `undefined` what is not there.
 */
export function matches(value: unknown, pattern: unknown): boolean {
  if (Array.isArray(pattern)) {
    if (!Array.isArray(value) || value.length !== pattern.length) return false
    return pattern.every((item, index) => matches(value[index], item))
  }
  if (!isObject(pattern)) return Object.is(value, pattern)
  if (!isObject(value)) return false
  return Object.entries(pattern).every(([key, item]) => matches(value[key], item))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
