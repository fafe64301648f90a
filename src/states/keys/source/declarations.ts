import type {
  ArrowFunctionExpression,
  CatchClause,
  Class,
  ForInStatement,
  ForOfStatement,
  Function as FunctionNode,
  Node,
  TSEnumDeclaration,
  VariableDeclaration,
} from 'oxc-parser'
import { namesIn, partsOf } from './patterns.js'
import { declare } from './scopes.js'
import { inside, type Place, type Step, stepsTo, stepsToAssigned } from './steps.js'
import { childrenOf } from './syntax.js'

/**
 * Enters a node that declares names, or in which others can be declared: a declaration, a function, a
 * class, a block, what may not run or may run again.
 *
 * @returns what is in it, to be looked at next; undefined for every other node
 */
export function enter(node: Node, place: Place): Step[] | undefined {
  switch (node.type) {
    case 'VariableDeclaration':
      return enterVariables(node, place)
    case 'FunctionDeclaration':
      if (node.id !== null) declare(node.id.name, place.scope, node)
      return enterFunction(node, place)
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return enterFunction(node, place)
    case 'ClassDeclaration':
      if (node.id !== null) declare(node.id.name, place.scope, node)
      return enterClass(node, place)
    case 'ClassExpression':
      return enterClass(node, place)
    case 'MethodDefinition':
    case 'PropertyDefinition':
    case 'AccessorProperty':
      return [
        ...stepsTo(node.computed ? [node.key] : [], place),
        ...stepsTo(node.decorators, place),
        ...stepsTo([node.value], { ...place, always: false }),
      ]
    case 'StaticBlock':
      return stepsTo(node.body, inside(node, place, { hoists: true }))
    case 'BlockStatement':
      return stepsTo(node.body, inside(node, place))
    case 'IfStatement':
    case 'ConditionalExpression':
    case 'LogicalExpression':
    case 'SwitchStatement':
    case 'TryStatement':
    case 'WhileStatement':
    case 'DoWhileStatement':
    case 'ForStatement':
      return stepsTo(childrenOf(node), inside(node, place, { always: false }))
    case 'ForInStatement':
    case 'ForOfStatement':
      return enterForEach(node, inside(node, place, { always: false }))
    case 'CatchClause':
      return enterCatch(node, inside(node, place))
    case 'TSEnumDeclaration':
      return enterEnum(node, place)
    case 'TSModuleDeclaration':
      if (node.id.type === 'Identifier') declare(node.id.name, place.scope, node)
      return node.body
        ? stepsTo(childrenOf(node.body), inside(node.body, place, { hoists: true }))
        : []
    default:
      return undefined
  }
}

function enterVariables({ kind, declarations }: VariableDeclaration, place: Place): Step[] {
  return declarations.flatMap((declarator) => {
    const constant = kind === 'const' ? declarator : undefined
    for (const name of namesIn(declarator.id)) {
      declare(name, place.scope, constant, { hoist: kind === 'var' })
    }
    return stepsTo([...partsOf(declarator.id).code, declarator.init], place)
  })
}

function enterFunction(node: FunctionNode | ArrowFunctionExpression, place: Place): Step[] {
  const at = inside(node, place, { hoists: true, always: false })
  if (node.type !== 'ArrowFunctionExpression') {
    for (const name of ['this', 'arguments']) declare(name, at.scope)
    if (node.type === 'FunctionExpression' && node.id) declare(node.id.name, at.scope)
  }
  const parameters = node.params.flatMap((parameter) => enterParameter(parameter, at))
  const body = node.body?.type === 'BlockStatement' ? node.body.body : [node.body]
  return [...parameters, ...stepsTo(body, at)]
}

function enterParameter(parameter: Node, at: Place): Step[] {
  for (const name of namesIn(parameter)) declare(name, at.scope)
  return stepsTo(partsOf(parameter).code, at)
}

function enterClass(node: Class, place: Place): Step[] {
  const at = inside(node, place)
  if (node.type === 'ClassExpression' && node.id !== null) declare(node.id.name, at.scope)
  declare('this', at.scope)
  return [...stepsTo(node.decorators, place), ...stepsTo([node.superClass, ...node.body.body], at)]
}

function enterForEach({ left, right, body }: ForInStatement | ForOfStatement, at: Place): Step[] {
  const each = left.type === 'VariableDeclaration' ? stepsTo([left], at) : stepsToAssigned(left, at)
  return [...each, ...stepsTo([right, body], at)]
}

function enterCatch({ param, body }: CatchClause, at: Place): Step[] {
  const caught = param === null ? [] : enterParameter(param, at)
  return [...caught, ...stepsTo(body.body, at)]
}

function enterEnum(node: TSEnumDeclaration, place: Place): Step[] {
  declare(node.id.name, place.scope, node)
  const at = inside(node, place)
  for (const { id } of node.body.members) {
    if (id.type === 'Identifier') declare(id.name, at.scope)
  }
  return stepsTo(
    node.body.members.map(({ initializer }) => initializer),
    at,
  )
}
