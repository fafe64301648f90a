import type { ObjectKind } from '../catalogue/object-name.js'

/** An object as garbage collection sees it. */
export interface Candidate {
  id: string
  kind: ObjectKind
  /** The ids of the objects that it stands on. */
  parents: readonly string[]
  /** Bytes on the disk. */
  size: number
  /** Milliseconds since 1970. */
  lastUse: number
  /** What is wrong with it, so that nobody can find or use it any more. */
  fault?: 'replaced' | 'damaged' | undefined
  /** Whether somebody leases or pins it. */
  isInUse: boolean
}

/** Why an object goes: it is of no use to anybody, was not used for long, or the store is too large. */
export type RemovalReason = 'replaced' | 'damaged' | 'unused' | 'size'

export interface PlannedRemoval<Of extends Candidate = Candidate> {
  candidate: Of
  why: RemovalReason
}

export interface Limits {
  /** Bytes. */
  maxSize: number
  /** Milliseconds. */
  maxAge: number
  /** Milliseconds since 1970. */
  now: number
}

/** What goes first for the sake of the size: what is made again most easily. Images, not downloads. */
const RANK: Readonly<Record<ObjectKind, number>> = {
  ...{ failure: 0, boot: 1, state: 2, image: 3, kept: 4 },
}

/**
 * Chooses what to remove, in an order in which nothing stands on what goes: what is of no use to
 * anybody, then what was not used for too long, then, while the store is too large, what failed
 * tests left, kept boots, other states and images, each by last use. What is in use stays, with all that
 * it stands on, and so does what somebody has kept.
 */
export function planRemovals<Of extends Candidate>(
  candidates: readonly Of[],
  { maxSize, maxAge, now }: Limits,
): PlannedRemoval<Of>[] {
  const left = new Map(candidates.map((candidate) => [candidate.id, candidate]))
  const lastUses = effectiveLastUses(candidates)
  const plan: PlannedRemoval<Of>[] = []
  let size = candidates.reduce((sum, candidate) => sum + candidate.size, 0)

  const lastUse = ({ id, lastUse }: Of) => lastUses.get(id) ?? lastUse
  const before = (a: Of, b: Of) => RANK[a.kind] - RANK[b.kind] || lastUse(a) - lastUse(b)

  function removeWhile(reason: (candidate: Of) => RemovalReason | undefined): void {
    for (;;) {
      const next = leavesOf(left)
        .filter((candidate) => !candidate.isInUse && reason(candidate) !== undefined)
        .sort(before)[0]
      const why = next && reason(next)
      if (next === undefined || why === undefined) return
      plan.push({ candidate: next, why })
      left.delete(next.id)
      size -= next.size
    }
  }

  removeWhile(({ fault }) => fault)
  const isForGood = ({ kind }: Of) => kind === 'kept'
  removeWhile((candidate) =>
    !isForGood(candidate) && now - lastUse(candidate) > maxAge ? 'unused' : undefined,
  )
  removeWhile((candidate) => (!isForGood(candidate) && size > maxSize ? 'size' : undefined))
  return plan
}

/** What an object stands on was used whenever the object was. */
function effectiveLastUses(candidates: readonly Candidate[]): Map<string, number> {
  const lastUses = new Map(candidates.map(({ id, lastUse }) => [id, lastUse]))
  const byId = new Map(candidates.map((candidate) => [candidate.id, candidate]))
  function handDown(candidate: Candidate, lastUse: number): void {
    for (const parent of candidate.parents) {
      const known = lastUses.get(parent)
      const next = byId.get(parent)
      if (known === undefined || next === undefined || known >= lastUse) continue
      lastUses.set(parent, lastUse)
      handDown(next, lastUse)
    }
  }
  for (const candidate of candidates) handDown(candidate, candidate.lastUse)
  return lastUses
}

/** The objects that no other stands on. */
function leavesOf<Of extends Candidate>(left: ReadonlyMap<string, Of>): Of[] {
  const all = [...left.values()]
  const stoodOn = new Set(all.flatMap(({ parents }) => parents))
  return all.filter(({ id }) => !stoodOn.has(id))
}
