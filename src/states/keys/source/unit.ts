import type { Node } from 'oxc-parser'
import type { Analysis } from './analyze.js'
import { canonicalText } from './canonical-text.js'
import { findBinding, type InlineImport, type Reference } from './scopes.js'

/** A use of a name that is declared outside of a unit. */
export interface OuterReference extends Reference {
  /** Whether a function or block around the unit declares it, not the module or nobody. */
  readonly isLocal: boolean
}

/** A piece of a module that counts as a whole: a declaration, a statement, a setup. */
export class Unit<In extends { readonly analysis: Analysis } = { readonly analysis: Analysis }> {
  readonly module: In
  /** What it declares, as people read it: `a, b` of `const { a, b } = …`. */
  readonly name: string
  /** The names that it declares. */
  readonly declares: readonly string[]
  readonly nodes: readonly Node[]
  readonly #prefix: string
  #text: string | undefined
  #references: readonly OuterReference[] | undefined
  #imports: readonly InlineImport[] | undefined

  /** @param parts - `prefix`: what the nodes do not say, such as `const` or `let` of a variable */
  constructor(
    module: In,
    name: string,
    {
      nodes,
      declares = [],
      prefix = '',
    }: { nodes: readonly Node[]; declares?: readonly string[]; prefix?: string },
  ) {
    this.module = module
    this.name = name
    this.declares = declares
    this.nodes = nodes
    this.#prefix = prefix
  }

  /** The canonical text. */
  get text(): string {
    this.#text ??= this.#prefix + this.nodes.map(canonicalText).join('\n')
    return this.#text
  }

  /** Where it starts in the text. */
  get start(): number {
    return this.nodes[0]?.start ?? 0
  }

  /** Whether a call in it may define a state. */
  get defines(): boolean {
    const { calls } = this.module.analysis
    return this.nodes.some((node) => within(calls, node).length > 0)
  }

  /** The places where it uses names that are declared elsewhere. */
  get references(): readonly OuterReference[] {
    this.#references ??= this.#outer(this.module.analysis.references)
    return this.#references
  }

  /** Those of its references that may change what they name. */
  get changes(): readonly OuterReference[] {
    return this.#outer(this.module.analysis.changes)
  }

  /** The modules that it imports where it uses them. */
  get imports(): readonly InlineImport[] {
    this.#imports ??= this.nodes.flatMap((node) => within(this.module.analysis.imports, node))
    return this.#imports
  }

  #outer(references: readonly Reference[]): OuterReference[] {
    const { module } = this.module.analysis
    const outer: OuterReference[] = []
    for (const node of this.nodes) {
      for (const reference of within(references, node)) {
        const scope = findBinding(reference.name, reference.scope)?.scope
        if (scope !== undefined && this.#contains(scope.start)) continue
        outer.push({ ...reference, isLocal: scope !== undefined && scope !== module })
      }
    }
    return outer
  }

  #contains(place: number): boolean {
    return this.nodes.some(({ start, end }) => place >= start && place < end)
  }
}

/** Those of a list, in the order of the text, that start inside of a node. */
function within<Item extends { start: number }>(
  items: readonly Item[],
  { start, end }: { start: number; end: number },
): Item[] {
  const found: Item[] = []
  for (let index = firstAt(items, start); index < items.length; index += 1) {
    const item = items[index] as Item
    if (item.start >= end) break
    found.push(item)
  }
  return found
}

function firstAt(items: readonly { start: number }[], start: number): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((items[middle] as { start: number }).start < start) low = middle + 1
    else high = middle
  }
  return low
}
