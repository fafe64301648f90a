import type { Node } from 'oxc-parser'

/** A part of a file in which names are declared. */
export interface Scope {
  readonly outer: Scope | undefined
  /** Where the node that opens it starts; -1 for the module. */
  readonly start: number
  /** Whether `var` is declared here: a function, a static block, or the module. */
  readonly hoists: boolean
  readonly bindings: Map<string, Binding>
}

/** A name that is declared in a scope. */
export interface Binding {
  readonly name: string
  readonly scope: Scope
  /** The function, class or variable that it names; undefined for parameters and the like. */
  readonly declaration: Node | undefined
}

/** How much a place says that it changes what a name holds: not, perhaps (a call), or surely. */
export type Change = 'none' | 'maybe' | 'sure'

/** A place where a name is used. */
export interface Reference {
  /** `this` stands for itself and for `super`. */
  readonly name: string
  readonly start: number
  readonly scope: Scope
  readonly change: Change
  /** The member that is taken of it, where that can be told: `install` of `helpers.install`. */
  readonly member: string | undefined
}

/** A module that is imported where it is used: `import('./x.js')`, `require('./x.cjs')`. */
export interface InlineImport {
  readonly start: number
  readonly specifier: string
}

export function newScope(outer: Scope | undefined, start: number, hoists: boolean): Scope {
  return { outer, start, hoists, bindings: new Map() }
}

/** Where a name that is used in a scope is declared; undefined for what no code of the file declares. */
export function findBinding(name: string, scope: Scope): Binding | undefined {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
    const binding = at.bindings.get(name)
    if (binding !== undefined) return binding
  }
  return undefined
}

export function declare(
  name: string,
  scope: Scope,
  declaration?: Node,
  options: { hoist?: boolean } = {},
): void {
  let at = scope
  while (options.hoist && !at.hoists && at.outer !== undefined) at = at.outer
  at.bindings.set(name, { name, scope: at, declaration })
}
