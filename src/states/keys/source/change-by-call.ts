import type { CallExpression, NewExpression, Node } from 'oxc-parser'
import type { Change } from './scopes.js'
import { memberName, unwrap } from './syntax.js'

/** Methods that surely change what they are called on. */
const CHANGING = new Set(
  'push pop shift unshift splice sort reverse fill copyWithin set add delete clear append'.split(
    ' ',
  ),
)

/** Methods of arrays, strings and objects that change nothing. */
const HARMLESS = new Set(
  'map forEach filter flatMap flat reduce reduceRight some every find findIndex findLast entries keys values includes indexOf join slice concat at toSorted toReversed get has toString trim split replace replaceAll startsWith endsWith'.split(
    ' ',
  ),
)

/** How much a call changes what it is called on. */
export function changeOfCallee(call: CallExpression | NewExpression): Change {
  const method = memberName(unwrap(call.callee))
  if (method === undefined) return 'maybe'
  if (CHANGING.has(method)) return 'sure'
  return HARMLESS.has(method) ? 'none' : 'maybe'
}

/**
 * How much a call changes what it is given: `Object.assign(config, …)` and its kind surely change
 * their first argument, and no other.
 */
export function changeOfArgument(call: CallExpression | NewExpression, index: number): Change {
  const argument = unwrap(call.arguments[index] as Node)
  if (argument.type !== 'Identifier' && argument.type !== 'MemberExpression') return 'none'
  if (!isObjectAssign(unwrap(call.callee))) return 'maybe'
  return index === 0 ? 'sure' : 'none'
}

function isObjectAssign(callee: Node): boolean {
  return (
    callee.type === 'MemberExpression' &&
    callee.object.type === 'Identifier' &&
    callee.object.name === 'Object' &&
    /^(assign|define)/.test(memberName(callee) ?? '')
  )
}
