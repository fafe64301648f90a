import type { Node } from 'oxc-parser'
import { isErased, isNode, TYPE_KEYS, unwrap } from './syntax.js'

/** Keys of nodes that say where they stand, or something about types. */
const SKIPPED: ReadonlySet<string> = new Set([
  ...TYPE_KEYS,
  'type',
  'start',
  'end',
  'range',
  'accessibility',
  'abstract',
  'definite',
  'override',
  'readonly',
])

/**
 * A piece of syntax as text that comments, layout, quotes, semicolons, parentheses and types do not
 * change, and that any other change does: its tree without positions.
 */
export function canonicalText(node: Node): string {
  const pieces: string[] = []
  print(node, pieces)
  return pieces.join('')
}

function print(typed: Node, pieces: string[]): void {
  const node = unwrap(typed)
  if (node.type === 'Literal') {
    pieces.push(literal(node))
    return
  }
  pieces.push('(', node.type)
  // `a?.b` is optional; so is, by its type alone, a parameter.
  const runsOptionally = node.type === 'MemberExpression' || node.type === 'CallExpression'
  const fields = node as unknown as Readonly<Record<string, unknown>>
  for (const key in fields) {
    const value = fields[key]
    if (value === null || value === false || value === undefined || SKIPPED.has(key)) continue
    if (key === 'optional' && !runsOptionally) continue
    if (Array.isArray(value)) printList(key, value, pieces)
    else if (!isNode(value)) pieces.push(' ', key, '=', JSON.stringify(value))
    else if (!isErased(value)) {
      pieces.push(' ', key, '=')
      print(value, pieces)
    }
  }
  pieces.push(')')
}

function printList(key: string, list: readonly unknown[], pieces: string[]): void {
  const kept = list.filter((item) => !isNode(item) || !(isErased(item) || isThisType(key, item)))
  if (kept.length === 0) return
  pieces.push(' ', key, '=[')
  for (const item of kept) {
    if (isNode(item)) print(item, pieces)
    // A hole in an array.
    else pieces.push(JSON.stringify(item))
    pieces.push(',')
  }
  pieces.push(']')
}

/** `function (this: Site) {}` has no parameter. */
function isThisType(key: string, node: Node): boolean {
  return key === 'params' && node.type === 'Identifier' && node.name === 'this'
}

function literal(node: Extract<Node, { type: 'Literal' }>): string {
  if ('regex' in node && node.regex) return `/${node.regex.pattern}/${node.regex.flags}`
  if ('bigint' in node && node.bigint) return `${node.bigint}n`
  return typeof node.value === 'string' ? JSON.stringify(node.value) : String(node.value)
}
