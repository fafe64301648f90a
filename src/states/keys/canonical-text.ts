import type { Node } from 'oxc-parser'

/**
 * A piece of syntax as text that comments, layout, quotes and semicolons do not change, and that
 * any other change does: its tree without positions.
 */
export function canonicalText(node: Node): string {
  return JSON.stringify(node, function (this: { type?: unknown }, key: string, value: unknown) {
    if (key === 'start' || key === 'end') return undefined
    // Templates keep `raw`: a tag can see it. The value of a literal says all that counts.
    if (key === 'raw' && this.type === 'Literal') return undefined
    return typeof value === 'bigint' ? value.toString() : value
  })
}
