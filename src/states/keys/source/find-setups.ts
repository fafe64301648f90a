import type { Node } from 'oxc-parser'
import type { DefiningCall } from './analyze.js'
import type { Module } from './module.js'
import { type Receiver, receiverOf } from './receiver.js'
import { literalText, propertyName, unwrap } from './syntax.js'

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
  const { named, open } = candidatesOf(module)
  const candidates = [
    ...(named.get(`${state.method} ${state.name}`) ?? []),
    ...open.filter(({ call }) => call.method === state.method && mayBe(call, state.name)),
  ].filter(
    ({ owner = state.owner, parent = state.parent }) =>
      owner === state.owner && parent === state.parent,
  )
  const exact = candidates.filter(({ isExact }) => isExact)
  const found = exact.length > 0 ? exact : candidates.filter(({ call }) => declares(call, state))
  return found.map(({ call }) => call)
}

/** A call with what its text says of the state that it defines. */
interface Candidate extends Receiver {
  readonly call: DefiningCall
  /** Whether it surely defines one, and no other call can define the same. */
  readonly isExact: boolean
}

interface Candidates {
  /** Those whose names are literal, by method and name. */
  readonly named: ReadonlyMap<string, readonly Candidate[]>
  readonly open: readonly Candidate[]
}

const known = new WeakMap<Module, Candidates>()

function candidatesOf(module: Module): Candidates {
  const found = known.get(module) ?? findCandidates(module)
  known.set(module, found)
  return found
}

function findCandidates({ analysis }: Module): Candidates {
  const named = new Map<string, Candidate[]>()
  const open: Candidate[] = []
  for (const call of analysis.calls) {
    const [first] = call.node.arguments
    if (first === undefined) continue
    const callee = unwrap(call.node.callee)
    const object = callee.type === 'MemberExpression' ? callee.object : callee
    const receiver = receiverOf(object, call.scope)
    const name = literalText(first)
    const isExact = call.always && name !== undefined && receiver.owner !== undefined
    const candidate = { ...receiver, call, isExact }
    const key = `${call.method} ${name}`
    if (name === undefined) open.push(candidate)
    else named.set(key, [...(named.get(key) ?? []), candidate])
  }
  return { named, open }
}

/** Whether the name of a call, which is not literal, may be this: `php-${version}` may be `php-8`. */
function mayBe({ node: call }: DefiningCall, name: string): boolean {
  const [written] = call.arguments
  const node = written && unwrap(written)
  if (node?.type !== 'TemplateLiteral') return true
  const [first = '', ...rest] = node.quasis.map(({ value }) => value.cooked ?? '')
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
function declares({ node }: DefiningCall, { values }: DefinedState): boolean {
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
  const found = node.properties.find(
    (item) => item.type === 'Property' && propertyName(item) === name,
  )
  return found?.type === 'Property' ? found.value : 'absent'
}

function namesOf(of: Told): string[] | undefined {
  if (of === 'absent') return []
  const node = of && unwrap(of)
  if (node?.type !== 'ObjectExpression') return undefined
  const names = node.properties.map((item) =>
    item.type === 'Property' ? propertyName(item) : undefined,
  )
  return names.includes(undefined) ? undefined : (names as string[])
}
