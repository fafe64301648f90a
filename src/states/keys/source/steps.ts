import type { Node } from 'oxc-parser'
import { partsOf } from './patterns.js'
import { type Change, newScope, type Scope } from './scopes.js'

/** Where a walk through a file is. */
export interface Place {
  readonly scope: Scope
  /** Whether it is passed whenever the file is loaded: in no function, loop or condition. */
  readonly always: boolean
  /** Inside of the call that defines a state: its setup runs later, for that state alone. */
  readonly defining: boolean
}

/** A node that a walk is to look at, and where that is. */
export interface Step {
  readonly node: Node
  readonly place: Place
  /** How much what is around the node says that it changes what the node names. */
  readonly change: Change
}

/** Steps to nodes that are changed as much as `change` says; by default, they are not. */
export function stepsTo(
  nodes: readonly (Node | null)[],
  place: Place,
  change: Change = 'none',
): Step[] {
  const steps: Step[] = []
  for (const node of nodes) if (node !== null) steps.push({ node, place, change })
  return steps
}

/** Steps to what is assigned to, and to what runs for that. */
export function stepsToAssigned(pattern: Node, place: Place): Step[] {
  const { targets, code } = partsOf(pattern)
  return [...stepsTo(targets, place, 'sure'), ...stepsTo(code, place)]
}

/** The place inside of a node that opens a scope. */
export function inside(
  { start }: Node,
  place: Place,
  { hoists = false, always = place.always }: { hoists?: boolean; always?: boolean } = {},
): Place {
  return { ...place, scope: newScope(place.scope, start, hoists), always }
}
