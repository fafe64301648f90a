import type { Node } from 'oxc-parser'
import type { DefiningCall } from './analyze.js'
import type { Module } from './module.js'
import { receiverOf } from './receiver.js'
import { literalText, unwrap } from './syntax.js'

/** What is known of a state whose setup is looked for. */
export interface DefinedState {
  readonly method: string
  readonly name: string
  /** The name of the machine or of the environment. */
  readonly owner: string
  readonly parent: string
  /** The names in its `inputs.values`. */
  readonly values: readonly string[]
}

/**
 * The calls of a module that may have defined a state. One, where its name, its owner and that it
 * always runs can be read from the text. Otherwise all that the text does not rule out, by the parts
 * of a name that are literal, by owner, parent and declared values: a state that is made in a loop
 * or a function is then known as precisely as its text tells, and by every loader alike.
 */
export function findSetups(module: Module, state: DefinedState): DefiningCall[] {
  const candidates = callsOf(module, state.method, state.name)
    .map((call) => ({ call, ...receiver(call) }))
    .filter(({ owner }) => owner === undefined || owner === state.owner)
    .filter(({ parent }) => parent === undefined || parent === state.parent)
  const exact = candidates.filter(
    ({ call, owner }) =>
      call.always && owner !== undefined && literalText(call.node.arguments[0]) === state.name,
  )
  if (exact.length > 0) return exact.map(({ call }) => call)
  return candidates.flatMap(({ call }) => (declares(call, state.values) ? [call] : []))
}

function callsOf({ analysis }: Module, method: string, name: string): DefiningCall[] {
  return analysis.calls.filter((call) => {
    if (call.method !== method || call.node.arguments.length === 0) return false
    return mayBe(call.node.arguments[0], name)
  })
}

function receiver({ node, scope }: DefiningCall) {
  const callee = unwrap(node.callee)
  return receiverOf(callee.type === 'MemberExpression' ? callee.object : callee, scope)
}

/** Whether an expression may be a name: `php-${version}` may be `php-8`. */
function mayBe(written: Node | undefined, name: string): boolean {
  const node = written && unwrap(written)
  if (node?.type === 'Literal') return node.value === name
  if (node?.type !== 'TemplateLiteral') return true
  const [first = '', ...rest] = node.quasis.map(({ value }) => value.cooked ?? '')
  if (rest.length === 0) return first === name
  const last = rest[rest.length - 1] ?? ''
  if (!name.startsWith(first) || !name.endsWith(last)) return false
  let at = first.length
  for (const piece of rest) {
    const found = name.indexOf(piece, at)
    if (found === -1) return false
    at = found + piece.length
  }
  return true
}

/** Whether the `inputs.values` that a call is given may be those of these names. */
function declares({ node }: DefiningCall, values: readonly string[]): boolean {
  const options = node.arguments[2]
  if (options === undefined) return values.length === 0
  const written = namesOf(property(property(options, 'inputs'), 'values'))
  if (written === undefined) return true
  return written.length === values.length && written.every((name) => values.includes(name))
}

/** Nothing where the text does not tell. */
type Told = Node | 'absent' | undefined

function property(of: Told, name: string): Told {
  if (of === undefined || of === 'absent') return of
  const node = unwrap(of)
  if (node.type !== 'ObjectExpression') return undefined
  const names = namesOf(node)
  if (names === undefined) return undefined
  const found = node.properties.find((item) => item.type === 'Property' && keyOf(item) === name)
  return found?.type === 'Property' ? found.value : 'absent'
}

function namesOf(of: Told): string[] | undefined {
  if (of === 'absent') return []
  const node = of && unwrap(of)
  if (node?.type !== 'ObjectExpression') return undefined
  const names = node.properties.map((item) => (item.type === 'Property' ? keyOf(item) : undefined))
  return names.includes(undefined) ? undefined : (names as string[])
}

function keyOf({ key, computed }: Extract<Node, { type: 'Property' }>): string | undefined {
  if (!computed && key.type === 'Identifier') return key.name
  return literalText(key)
}
