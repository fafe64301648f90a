import type { Node } from 'oxc-parser'
import { unwrap } from './syntax.js'

/** What is in a pattern: in what a `const` or a parameter declares, or in what is assigned to. */
export interface PatternParts {
  /** What gets a value: names, and in an assignment also members, as in `[a.b] = pair`. */
  readonly targets: readonly Node[]
  /** What runs for that: defaults, and keys that are computed. */
  readonly code: readonly Node[]
}

/** Takes a pattern apart: `a`, `{ a, [key]: b = 1 }`, `[a, ...b]`. */
export function partsOf(pattern: Node): PatternParts {
  const node = unwrap(pattern)
  switch (node.type) {
    case 'ObjectPattern':
      return join(node.properties.map(partsOf))
    case 'Property':
      return join([{ targets: [], code: node.computed ? [node.key] : [] }, partsOf(node.value)])
    case 'ArrayPattern':
      return join(node.elements.map((element) => (element === null ? NOTHING : partsOf(element))))
    case 'AssignmentPattern':
      return join([partsOf(node.left), { targets: [], code: [node.right] }])
    case 'RestElement':
      return partsOf(node.argument)
    case 'TSParameterProperty':
      return partsOf(node.parameter)
    default:
      return { targets: [node], code: [] }
  }
}

/** The names that a pattern declares. */
export function namesIn(pattern: Node): string[] {
  if (pattern.type === 'Identifier') return [pattern.name]
  const { targets } = partsOf(pattern)
  return targets.flatMap((target) => (target.type === 'Identifier' ? [target.name] : []))
}

const NOTHING: PatternParts = { targets: [], code: [] }

function join(parts: readonly PatternParts[]): PatternParts {
  return {
    targets: parts.flatMap(({ targets }) => targets),
    code: parts.flatMap(({ code }) => code),
  }
}
