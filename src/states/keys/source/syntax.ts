import type { Expression, Node } from 'oxc-parser'

/** Whether a value of a syntax tree is a node of it. */
export function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    'start' in value
  )
}

/** Keys of nodes that hold nothing but types. */
export const TYPE_KEYS: ReadonlySet<string> = new Set([
  'typeAnnotation',
  'returnType',
  'typeParameters',
  'typeArguments',
  'superTypeArguments',
  'implements',
])

/** The nodes right below a node, without those that are types. */
export function childrenOf(node: Node): Node[] {
  const children: Node[] = []
  const fields = node as unknown as Readonly<Record<string, unknown>>
  for (const key in fields) {
    const value = fields[key]
    if (typeof value !== 'object' || value === null || TYPE_KEYS.has(key)) continue
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) children.push(item)
    } else if (isNode(value)) children.push(value)
  }
  return children
}

/** An expression without what only types add to it: `as`, `satisfies`, `!`, type arguments. */
export function unwrap(node: Node): Node {
  switch (node.type) {
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
    case 'TSTypeAssertion':
    case 'TSInstantiationExpression':
    case 'ParenthesizedExpression':
      return unwrap(node.expression)
    default:
      return node
  }
}

const TYPES_ONLY = new Set([
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
  'TSDeclareFunction',
  'TSAbstractMethodDefinition',
  'TSAbstractPropertyDefinition',
  'TSAbstractAccessorProperty',
  'TSIndexSignature',
  'TSNamespaceExportDeclaration',
  'EmptyStatement',
])

/** Whether a node leaves nothing behind when types are taken out. */
export function isErased(node: Node): boolean {
  if (TYPES_ONLY.has(node.type)) return true
  if ('declare' in node && node.declare) return true
  switch (node.type) {
    case 'MethodDefinition':
      return node.value.type === 'TSEmptyBodyFunctionExpression'
    case 'ImportDeclaration':
    case 'ImportSpecifier':
    case 'TSImportEqualsDeclaration':
      return node.importKind === 'type'
    case 'ExportNamedDeclaration':
    case 'ExportSpecifier':
    case 'ExportAllDeclaration':
      return node.exportKind === 'type'
    default:
      return false
  }
}

/** The text of a literal, or of a template without expressions. */
export function literalText(node: Node | undefined): string | undefined {
  const inner = node && unwrap(node)
  if (inner?.type === 'Literal') return typeof inner.value === 'string' ? inner.value : undefined
  if (inner?.type !== 'TemplateLiteral' || inner.expressions.length > 0) return undefined
  return inner.quasis[0]?.value.cooked ?? undefined
}

/** The name of a member that is not computed, or by a literal: `a.name`, `a['name']`. */
export function memberName(node: Node): string | undefined {
  if (node.type !== 'MemberExpression') return undefined
  if (node.computed) return literalText(node.property)
  return node.property.type === 'Identifier' ? node.property.name : undefined
}

/** The name of a property of an object that is written out. */
export function propertyName({
  key,
  computed,
}: Extract<Node, { type: 'Property' }>): string | undefined {
  if (!computed && key.type === 'Identifier') return key.name
  return literalText(key)
}

/** Whether an expression is a function that is written there. */
export function isFunction(node: Expression | null | undefined): boolean {
  const inner = node && unwrap(node)
  return inner?.type === 'ArrowFunctionExpression' || inner?.type === 'FunctionExpression'
}
