import type { CallExpression, MemberExpression, NewExpression, Node, Program } from 'oxc-parser'
import { changeOfArgument, changeOfCallee } from './change-by-call.js'
import { enter } from './declarations.js'
import { type Change, type InlineImport, newScope, type Reference, type Scope } from './scopes.js'
import { type Place, type Step, stepsTo, stepsToAssigned } from './steps.js'
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
  /** Those of them that may change what they name. */
  readonly changes: readonly Reference[]
  readonly imports: readonly InlineImport[]
  readonly calls: readonly DefiningCall[]
  /** Calls that may define a machine: `machine(…)`. */
  readonly machines: readonly CallExpression[]
}

const DEFINING = new Set(['state', 'live'])

/** Finds where every name of a file is declared and used. */
export function analyze(program: Program): Analysis {
  const walk = new Walk()
  walk.take(stepsTo(program.body, { scope: walk.module, always: true, defining: false }))
  for (const list of [walk.references, walk.changes, walk.imports, walk.calls, walk.machines]) {
    list.sort((a, b) => a.start - b.start)
  }
  return walk
}

class Walk implements Analysis {
  readonly module = newScope(undefined, -1, true)
  readonly references: Reference[] = []
  readonly changes: Reference[] = []
  readonly imports: InlineImport[] = []
  readonly calls: DefiningCall[] = []
  readonly machines: CallExpression[] = []

  take(steps: readonly Step[]): void {
    for (const step of steps) {
      if (isErased(step.node)) continue
      this.take(enter(step.node, step.place) ?? this.#use(step))
    }
  }

  /** Notes what a node uses that declares nothing. */
  #use({ node, place, change }: Step): Step[] {
    switch (node.type) {
      case 'Identifier':
      case 'JSXIdentifier':
        return this.#name(node.name, node, place, change)
      case 'ThisExpression':
      case 'Super':
        return this.#name('this', node, place, 'none')
      case 'MemberExpression':
        return this.#member(node, place, change)
      case 'CallExpression':
      case 'NewExpression':
        return this.#call(node, place)
      case 'TaggedTemplateExpression':
        return [...stepsTo([node.tag], place, 'maybe'), ...stepsTo([node.quasi], place)]
      case 'ImportExpression':
        this.#import(node.source, node)
        return stepsTo([node.source], place)
      case 'AssignmentExpression':
        return [...stepsToAssigned(node.left, place), ...stepsTo([node.right], place)]
      case 'UpdateExpression':
        return stepsToAssigned(node.argument, place)
      case 'UnaryExpression':
        return node.operator === 'delete'
          ? stepsToAssigned(node.argument, place)
          : stepsTo([node.argument], place)
      case 'Property':
        return stepsTo([node.computed ? node.key : null, node.value], place)
      case 'LabeledStatement':
        return stepsTo([node.body], place)
      case 'ExportNamedDeclaration':
        return stepsTo([node.declaration], place)
      case 'BreakStatement':
      case 'ContinueStatement':
      case 'MetaProperty':
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
      case 'ExportSpecifier':
      case 'TSImportEqualsDeclaration':
        return []
      case 'ChainExpression':
        return stepsTo([node.expression], place, change)
      default: {
        const value = unwrap(node)
        return value === node ? stepsTo(childrenOf(node), place) : stepsTo([value], place, change)
      }
    }
  }

  #name(
    name: string,
    { start }: Node,
    { scope, defining }: Place,
    change: Change,
    member?: string,
  ): Step[] {
    const reference = { name, start, scope, change: defining ? 'none' : change, member } as const
    this.references.push(reference)
    if (reference.change !== 'none') this.changes.push(reference)
    return []
  }

  #member(node: MemberExpression, place: Place, change: Change): Step[] {
    const object = unwrap(node.object)
    const key = stepsTo(node.computed ? [node.property] : [], place)
    if (object.type !== 'Identifier') return [...key, ...stepsTo([object], place, change)]
    return [...key, ...this.#name(object.name, object, place, change, memberName(node))]
  }

  #call(node: CallExpression | NewExpression, place: Place): Step[] {
    const callee = unwrap(node.callee)
    if (callee.type === 'Identifier' && callee.name === 'require') {
      this.#import(node.arguments[0], node)
    }
    if (node.type === 'CallExpression' && isMachine(callee)) this.machines.push(node)
    if (this.#define(node, place)) {
      const setup = { ...place, defining: true }
      return [...stepsTo([callee], place), ...stepsTo(node.arguments, setup)]
    }
    return [
      ...stepsTo([callee], place, changeOfCallee(node)),
      ...node.arguments.flatMap((argument, index) =>
        stepsTo([argument], place, changeOfArgument(node, index)),
      ),
    ]
  }

  /** Notes a call that may define a state. */
  #define(node: CallExpression | NewExpression, { scope, always }: Place): boolean {
    const method = memberName(unwrap(node.callee))
    if (node.type !== 'CallExpression' || method === undefined || !DEFINING.has(method))
      return false
    this.calls.push({ start: node.start, node, method, scope, always })
    return true
  }

  #import(source: Node | undefined, { start }: Node): void {
    const specifier = literalText(source)
    if (specifier !== undefined) this.imports.push({ specifier, start })
  }
}

function isMachine(callee: Node): boolean {
  return callee.type === 'Identifier' && callee.name === 'machine'
}
