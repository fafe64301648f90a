import type { Node } from 'oxc-parser'
import type { Module } from './module.js'
import { findBinding, type Reference } from './scopes.js'
import { isFunction } from './syntax.js'
import { Unit } from './unit.js'

/** A variable of a function or block around a setup that the setup uses. */
export interface Capture {
  readonly name: string
  /** Where it is used. */
  readonly line: number
}

/**
 * A piece of code with the functions around it that it calls. What else it captures is told: it has
 * another value each time, which the text does not show.
 *
 * @param code - such as the second argument of `.state()`, mostly a function
 * @param name - what it is, for people who look at keys: `(setup)`
 */
export function withLocalFunctions(
  module: Module,
  code: Node,
  name: string,
): { unit: Unit<Module>; captures: Capture[] } {
  const nodes: Node[] = [code]
  for (;;) {
    const unit = new Unit(module, name, { nodes })
    const local = unit.references
      .filter(({ isLocal }) => isLocal)
      .map((reference) => ({ ...reference, code: localCode(reference) }))
    const found = local.flatMap(({ code }) => code ?? [])
    const further = found.filter((node) => !nodes.includes(node))
    if (further.length > 0) nodes.push(...new Set(further))
    else {
      const captured = local.filter(({ code }) => code === undefined)
      const captures = captured.map(({ name, start }) => ({ name, line: module.lineOf(start) }))
      return { unit, captures }
    }
  }
}

/** The function or class that a name stands for; what a variable holds otherwise is a value. */
function localCode({ name, scope }: Reference): Node | undefined {
  const declaration = findBinding(name, scope)?.declaration
  if (declaration?.type !== 'VariableDeclarator') return declaration
  return isFunction(declaration.init) ? declaration : undefined
}
