import type { Node } from 'oxc-parser'
import { findBinding, type Scope } from './scopes.js'
import { literalText, memberName, unwrap } from './syntax.js'

/** What the text says of the state that a call stands on; undefined where it does not say. */
export interface Receiver {
  /** The name of the machine or of the environment. */
  readonly owner: string | undefined
  /** The name of the state. */
  readonly parent: string | undefined
}

const UNKNOWN: Receiver = { owner: undefined, parent: undefined }

/** Variables that are defined by each other are no receivers. */
const DEEPEST = 100

/** What `debian.state('nginx', …)` defines a state on, where constants of the file tell. */
export function receiverOf(written: Node, scope: Scope, depth = 0): Receiver {
  const node = unwrap(written)
  if (depth > DEEPEST) return UNKNOWN
  switch (node.type) {
    case 'Identifier': {
      const declaration = findBinding(node.name, scope)?.declaration
      if (declaration?.type !== 'VariableDeclarator' || declaration.init === null) return UNKNOWN
      if (declaration.id.type !== 'Identifier') return UNKNOWN
      return receiverOf(declaration.init, scope, depth + 1)
    }
    case 'MemberExpression':
      return memberName(node) === 'root' ? receiverOf(node.object, scope, depth + 1) : UNKNOWN
    case 'CallExpression':
      return called(unwrap(node.callee), node.arguments[0], scope, depth)
    default:
      return UNKNOWN
  }
}

function called(callee: Node, name: Node | undefined, scope: Scope, depth: number): Receiver {
  if (callee.type === 'Identifier' && /^(machine|environment)$/.test(callee.name)) {
    return { owner: literalText(name), parent: 'root' }
  }
  const method = memberName(callee)
  if (callee.type !== 'MemberExpression' || (method !== 'state' && method !== 'live')) {
    return UNKNOWN
  }
  const { owner } = receiverOf(callee.object, scope, depth + 1)
  return { owner, parent: literalText(name) }
}
