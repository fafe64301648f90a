import type { Unit } from './unit.js'

/** A unit that changes what a name holds that it does not declare. */
export interface Changer<Part extends Unit> {
  readonly unit: Part
  /** Whether that is certain, as it is for an assignment, not for a call. */
  readonly surely: boolean
}

/**
 * Finds by what units of a module the names of its top level, or of nobody, are changed. A call may
 * change what it is given; one in a declaration counts only where that is sure.
 *
 * @param declaring - the units that declare names
 * @param statements - those that declare none, and so run when the module is loaded
 */
export function findChangers<Part extends Unit>(
  declaring: Iterable<Part>,
  statements: Iterable<Part>,
): Map<string, Changer<Part>[]> {
  const changers = new Map<string, Changer<Part>[]>()
  const add = (unit: Part, isStatement: boolean) => {
    for (const { name, change, isLocal } of unit.changes) {
      const surely = change === 'sure'
      if (isLocal || !(surely || isStatement)) continue
      changers.set(name, [...(changers.get(name) ?? []), { unit, surely }])
    }
  }
  for (const unit of declaring) add(unit, false)
  for (const unit of statements) add(unit, true)
  return changers
}
