import type { CallExpression, Expression, Node, Program } from 'oxc-parser'

/**
 * The setup functions that a file passes to `.state('name', …)` or `.live('name', …)` with exactly
 * this literal name.
 *
 * @returns one per call; `undefined` stands for a setup that is not written in the call
 */
export function findSetups(
  program: Program,
  method: 'state' | 'live',
  name: string,
): (Expression | undefined)[] {
  return calls(program)
    .filter((call) => isMethod(call.callee, method) && literalText(call.arguments[0]) === name)
    .map((call) => inlineFunction(call.arguments[1]))
}

function calls(node: unknown): CallExpression[] {
  if (typeof node !== 'object' || node === null) return []
  const inner = Object.values(node).flatMap(calls)
  return isNode(node) && node.type === 'CallExpression' ? [node, ...inner] : inner
}

function isNode(value: object): value is Node {
  return 'type' in value && typeof value.type === 'string'
}

function isMethod(callee: Node, method: string): boolean {
  if (callee.type !== 'MemberExpression') return false
  const { property } = callee
  return callee.computed
    ? literalText(property) === method
    : property.type === 'Identifier' && property.name === method
}

function literalText(node: Node | undefined): string | undefined {
  if (node?.type === 'Literal') return typeof node.value === 'string' ? node.value : undefined
  if (node?.type !== 'TemplateLiteral' || node.expressions.length > 0) return undefined
  return node.quasis[0]?.value.cooked ?? undefined
}

function inlineFunction(node: Node | undefined): Expression | undefined {
  return node?.type === 'ArrowFunctionExpression' || node?.type === 'FunctionExpression'
    ? node
    : undefined
}
