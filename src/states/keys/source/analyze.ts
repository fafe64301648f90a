import type {
  ArrowFunctionExpression,
  CallExpression,
  Function as FunctionNode,
  Node,
  Program,
} from 'oxc-parser'
import {
  type Change,
  declare,
  type InlineImport,
  namesIn,
  newScope,
  type Reference,
  type Scope,
} from './scopes.js'
import { childrenOf, isErased, literalText, memberName, unwrap } from './syntax.js'

/** A call that may define a state: `….state(…)`, `….live(…)`. */
export interface DefiningCall {
  readonly start: number
  readonly node: CallExpression
  readonly method: string
  readonly scope: Scope
  /** Whether it runs whenever the file is loaded: in no function, loop or condition. */
  readonly always: boolean
}

/** The names of a file: where they are declared, where they are used. */
export interface Analysis {
  readonly module: Scope
  /** In the order of the text. */
  readonly references: readonly Reference[]
  readonly imports: readonly InlineImport[]
  readonly calls: readonly DefiningCall[]
}

const DEFINING = new Set(['state', 'live'])

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

/** Where a walk is. */
interface Place {
  readonly scope: Scope
  readonly always: boolean
  /** Inside of the call that defines a state: its setup runs later, for that state alone. */
  readonly defining: boolean
}

/** Finds where every name of a file is declared and used. */
export function analyze(program: Program): Analysis {
  const walk = new Walk()
  walk.all(program.body, { scope: walk.module, always: true, defining: false })
  for (const list of [walk.references, walk.imports, walk.calls]) {
    list.sort((a, b) => a.start - b.start)
  }
  return walk
}

class Walk implements Analysis {
  readonly module = newScope(undefined, -1, true)
  readonly references: Reference[] = []
  readonly imports: InlineImport[] = []
  readonly calls: DefiningCall[] = []

  all(nodes: readonly (Node | null)[], place: Place): void {
    for (const node of nodes) if (node !== null) this.visit(node, place)
  }

  visit(node: Node, place: Place, change: Change = 'none'): void {
    if (isErased(node)) return
    switch (node.type) {
      case 'Identifier':
      case 'JSXIdentifier':
        this.#use(node.name, node.start, place, change)
        break
      case 'ThisExpression':
      case 'Super':
        this.#use('this', node.start, place, 'none')
        break
      case 'MemberExpression':
        this.#member(node, place, change)
        break
      case 'CallExpression':
      case 'NewExpression':
        this.#call(node, place)
        break
      case 'TaggedTemplateExpression':
        this.visit(node.tag, place, 'maybe')
        this.visit(node.quasi, place)
        break
      case 'ImportExpression':
        this.#import(node.source, node.start)
        this.visit(node.source, place)
        break
      case 'AssignmentExpression':
        this.visit(node.right, place)
        this.#target(node.left, place)
        break
      case 'UpdateExpression':
        this.#target(node.argument, place)
        break
      case 'UnaryExpression':
        if (node.operator === 'delete') this.#target(node.argument, place)
        else this.visit(node.argument, place)
        break
      case 'Property':
        if (node.computed) this.visit(node.key, place)
        this.visit(node.value, place)
        break
      case 'VariableDeclaration':
        for (const declarator of node.declarations) {
          const hoist = node.kind === 'var'
          for (const name of namesIn(declarator.id)) {
            const constant = node.kind === 'const' ? declarator : undefined
            declare(name, place.scope, constant, { hoist })
          }
          this.#pattern(declarator.id, place)
          if (declarator.init !== null) this.visit(declarator.init, place)
        }
        break
      case 'FunctionDeclaration':
        if (node.id !== null) declare(node.id.name, place.scope, node)
        this.#function(node, place)
        break
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        this.#function(node, place)
        break
      case 'ClassDeclaration':
      case 'ClassExpression':
        this.#class(node, place)
        break
      case 'MethodDefinition':
      case 'PropertyDefinition':
      case 'AccessorProperty':
        if (node.computed) this.visit(node.key, place)
        this.all(node.decorators, place)
        if (node.value !== null) this.visit(node.value, { ...place, always: false })
        break
      case 'StaticBlock':
        this.all(node.body, inner(node, place, { hoists: true }))
        break
      case 'BlockStatement':
        this.all(node.body, inner(node, place))
        break
      case 'IfStatement':
      case 'ConditionalExpression':
      case 'LogicalExpression':
      case 'SwitchStatement':
      case 'TryStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
      case 'ForStatement':
        this.all(childrenOf(node), inner(node, place, { always: false }))
        break
      case 'ForInStatement':
      case 'ForOfStatement':
        this.#forEach(node, inner(node, place, { always: false }))
        break
      case 'CatchClause':
        this.#catch(node, inner(node, place))
        break
      case 'LabeledStatement':
        this.visit(node.body, place)
        break
      case 'BreakStatement':
      case 'ContinueStatement':
      case 'MetaProperty':
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
        break
      case 'ExportNamedDeclaration':
        if (node.declaration !== null) this.visit(node.declaration, place)
        break
      case 'ExportSpecifier':
        break
      case 'TSEnumDeclaration':
        this.#enum(node, place)
        break
      case 'TSModuleDeclaration':
        if (node.id.type === 'Identifier') declare(node.id.name, place.scope, node)
        if (node.body) this.all(childrenOf(node.body), inner(node.body, place, { hoists: true }))
        break
      case 'TSImportEqualsDeclaration':
        break
      default:
        this.#rest(unwrap(node), node, place, change)
        break
    }
  }

  /** Nodes whose children are all looked at; `change` passes through what types add. */
  #rest(inside: Node, node: Node, place: Place, change: Change): void {
    if (inside !== node) this.visit(inside, place, change)
    else if (node.type === 'ChainExpression') this.visit(node.expression, place, change)
    else this.all(childrenOf(node), place)
  }

  #use(name: string, start: number, { scope, defining }: Place, change: Change, member?: string) {
    this.references.push({ name, start, scope, change: defining ? 'none' : change, member })
  }

  #member(node: Extract<Node, { type: 'MemberExpression' }>, place: Place, change: Change): void {
    if (node.computed) this.visit(node.property, place)
    const object = unwrap(node.object)
    if (object.type === 'Identifier') {
      this.#use(object.name, object.start, place, change, memberName(node))
    } else this.visit(object, place, change)
  }

  #call(node: Extract<Node, { type: 'CallExpression' | 'NewExpression' }>, place: Place): void {
    const callee = unwrap(node.callee)
    const method = memberName(callee)
    const defines = node.type === 'CallExpression' && method !== undefined && DEFINING.has(method)
    if (defines) {
      const { scope, always } = place
      this.calls.push({ start: node.start, node, method, scope, always })
    }
    if (callee.type === 'Identifier' && callee.name === 'require') {
      this.#import(node.arguments[0], node.start)
    }
    const at = defines ? { ...place, defining: true } : place
    this.visit(
      callee,
      callee.type === 'MemberExpression' ? place : at,
      calleeChange(defines, method),
    )
    const given: Change = defines ? 'none' : isObjectAssign(callee) ? 'sure' : 'maybe'
    for (const [index, argument] of node.arguments.entries()) {
      const value = unwrap(argument)
      const passed = value.type === 'Identifier' || value.type === 'MemberExpression'
      const change = given === 'sure' && index > 0 ? 'none' : given
      this.visit(argument, at, passed ? change : 'none')
    }
  }

  #import(source: Node | undefined, start: number): void {
    const specifier = literalText(source)
    if (specifier !== undefined) this.imports.push({ specifier, start })
  }

  /** What is assigned to. */
  #target(target: Node, place: Place): void {
    const node = unwrap(target)
    switch (node.type) {
      case 'Identifier':
      case 'MemberExpression':
      case 'ChainExpression':
        this.visit(node, place, 'sure')
        break
      case 'ObjectPattern':
        for (const property of node.properties) {
          if (property.type === 'RestElement') this.#target(property.argument, place)
          else {
            if (property.computed) this.visit(property.key, place)
            this.#target(property.value, place)
          }
        }
        break
      case 'ArrayPattern':
        for (const element of node.elements) if (element !== null) this.#target(element, place)
        break
      case 'AssignmentPattern':
        this.visit(node.right, place)
        this.#target(node.left, place)
        break
      case 'RestElement':
        this.#target(node.argument, place)
        break
      default:
        this.visit(node, place)
        break
    }
  }

  /** Defaults and computed keys in a pattern that declares names. */
  #pattern(pattern: Node, place: Place): void {
    switch (pattern.type) {
      case 'ObjectPattern':
        for (const property of pattern.properties) {
          if (property.type === 'RestElement') continue
          if (property.computed) this.visit(property.key, place)
          this.#pattern(property.value, place)
        }
        break
      case 'ArrayPattern':
        for (const element of pattern.elements) if (element !== null) this.#pattern(element, place)
        break
      case 'AssignmentPattern':
        this.visit(pattern.right, place)
        this.#pattern(pattern.left, place)
        break
      case 'RestElement':
        this.#pattern(pattern.argument, place)
        break
      case 'TSParameterProperty':
        this.#pattern(pattern.parameter, place)
        break
    }
  }

  #function(node: FunctionNode | ArrowFunctionExpression, place: Place): void {
    const at = inner(node, place, { hoists: true, always: false })
    if (node.type !== 'ArrowFunctionExpression') {
      for (const name of ['this', 'arguments']) declare(name, at.scope)
      if (node.type === 'FunctionExpression' && node.id) declare(node.id.name, at.scope)
    }
    for (const parameter of node.params) {
      for (const name of namesIn(parameter)) declare(name, at.scope)
      this.#pattern(parameter, at)
    }
    if (node.body?.type === 'BlockStatement') this.all(node.body.body, at)
    else if (node.body) this.visit(node.body, at)
  }

  #class(
    node: Extract<Node, { type: 'ClassDeclaration' | 'ClassExpression' }>,
    place: Place,
  ): void {
    this.all(node.decorators, place)
    if (node.type === 'ClassDeclaration' && node.id) declare(node.id.name, place.scope, node)
    const at = inner(node, place)
    if (node.type === 'ClassExpression' && node.id) declare(node.id.name, at.scope)
    if (node.superClass !== null) this.visit(node.superClass, at)
    declare('this', at.scope)
    this.all(node.body.body, at)
  }

  #forEach(node: Extract<Node, { type: 'ForInStatement' | 'ForOfStatement' }>, at: Place): void {
    if (node.left.type === 'VariableDeclaration') this.visit(node.left, at)
    else this.#target(node.left, at)
    this.visit(node.right, at)
    this.visit(node.body, at)
  }

  #catch(node: Extract<Node, { type: 'CatchClause' }>, at: Place): void {
    if (node.param !== null) {
      for (const name of namesIn(node.param)) declare(name, at.scope)
      this.#pattern(node.param, at)
    }
    this.all(node.body.body, at)
  }

  #enum(node: Extract<Node, { type: 'TSEnumDeclaration' }>, place: Place): void {
    declare(node.id.name, place.scope, node)
    const at = inner(node, place)
    for (const { id } of node.body.members) {
      if (id.type === 'Identifier') declare(id.name, at.scope)
    }
    for (const { initializer } of node.body.members) {
      if (initializer !== null) this.visit(initializer, at)
    }
  }
}

function inner(
  { start }: Node,
  place: Place,
  { hoists = false, always = place.always }: { hoists?: boolean; always?: boolean } = {},
): Place {
  return { ...place, scope: newScope(place.scope, start, hoists), always }
}

function calleeChange(defines: boolean, method: string | undefined): Change {
  if (defines) return 'none'
  if (method === undefined) return 'maybe'
  if (CHANGING.has(method)) return 'sure'
  return HARMLESS.has(method) ? 'none' : 'maybe'
}

/** `Object.assign(config, …)` and its kind change their first argument. */
function isObjectAssign(callee: Node): boolean {
  return (
    callee.type === 'MemberExpression' &&
    callee.object.type === 'Identifier' &&
    callee.object.name === 'Object' &&
    /^(assign|define)/.test(memberName(callee) ?? '')
  )
}
