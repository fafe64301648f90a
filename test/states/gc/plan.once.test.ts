import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Candidate, type Limits, planRemovals } from '../../../src/states/gc/plan.js'

const NOW = 1_000_000
const GENEROUS: Limits = { maxSize: 1e9, maxAge: 1e9, now: NOW }

function candidate(id: string, given: Partial<Candidate> = {}): Candidate {
  return { id, kind: 'state', parents: [], size: 10, lastUse: NOW, isInUse: false, ...given }
}

/** What goes, and why, in order: `id why`. */
function plan(candidates: readonly Candidate[], limits: Partial<Limits> = {}): string[] {
  const removals = planRemovals(candidates, { ...GENEROUS, ...limits })
  return removals.map(({ candidate, why }) => `${candidate.id} ${why}`)
}

describe('removals', () => {
  test('leave what somebody has kept, and what it stands on', () => {
    const candidates = [
      candidate('base', { lastUse: 0 }),
      candidate('kept', { kind: 'kept', parents: ['base'], lastUse: 0 }),
      candidate('gone', { kind: 'kept', fault: 'replaced', lastUse: 0 }),
    ]
    expect(plan(candidates, { maxSize: 0, maxAge: 0 })).toEqual(['gone replaced'])
  })

  test('are none within the limits', () => {
    expect(plan([candidate('a'), candidate('b', { parents: ['a'] })])).toEqual([])
  })

  test('begin with what nobody can find or use, whatever its size and age', () => {
    const candidates = [
      candidate('image', { kind: 'image', fault: 'replaced' }),
      candidate('broken', { fault: 'damaged' }),
      candidate('on-broken', { fault: 'damaged', parents: ['broken'] }),
      candidate('fine'),
      candidate('stood-on', { fault: 'replaced' }),
      candidate('stands', { parents: ['stood-on'] }),
    ]
    expect(plan(candidates)).toEqual(['on-broken damaged', 'broken damaged', 'image replaced'])
  })

  test('go on with what was not used for long, and what only that stood on', () => {
    const candidates = [
      candidate('image', { kind: 'image', lastUse: 0 }),
      candidate('old', { parents: ['image'], lastUse: 0 }),
      candidate('old-boot', { kind: 'boot', parents: ['old'], lastUse: 5 }),
      candidate('parent', { lastUse: 0 }),
      candidate('child', { parents: ['parent'], lastUse: NOW - 10 }),
    ]
    expect(plan(candidates, { maxAge: 100 })).toEqual([
      'old-boot unused',
      'old unused',
      'image unused',
    ])
  })

  test('make room with kept boots first, then leaves, images last, each by last use', () => {
    const candidates = [
      candidate('image', { kind: 'image', lastUse: 1 }),
      candidate('lonely-image', { kind: 'image', lastUse: 0 }),
      candidate('base', { parents: ['image'], lastUse: 1 }),
      candidate('base-boot', { kind: 'boot', parents: ['base'], lastUse: 90 }),
      candidate('top', { parents: ['base'], lastUse: 5 }),
      candidate('top-boot', { kind: 'boot', parents: ['top'], lastUse: 80 }),
      candidate('lone', { lastUse: 50 }),
    ]
    const order = ['top-boot', 'base-boot', 'lone', 'top', 'base', 'lonely-image', 'image']
    for (let count = 0; count <= order.length; count += 1) {
      const expected = order.slice(0, count).map((id) => `${id} size`)
      expect(plan(candidates, { maxSize: (order.length - count) * 10 })).toEqual(expected)
    }
  })

  test('spare what is in use, with all that it stands on', () => {
    const candidates = [
      candidate('image', { kind: 'image' }),
      candidate('base', { parents: ['image'], fault: 'replaced' }),
      candidate('used', { parents: ['base'], isInUse: true, fault: 'damaged' }),
      candidate('other', { parents: ['image'] }),
    ]
    expect(plan(candidates, { maxSize: 0, maxAge: 0, now: 2 * NOW })).toEqual(['other unused'])
  })

  test('of any store leave nothing without what it stands on, and no more than needed', () => {
    const graph = fc.array(
      fc.record({
        kind: fc.constantFrom('boot', 'state', 'image'),
        parents: fc.array(fc.nat(), { maxLength: 3 }),
        size: fc.integer({ min: 1, max: 100 }),
        lastUse: fc.nat(NOW),
        fault: fc.constantFrom(undefined, undefined, 'replaced', 'damaged'),
        isInUse: fc.boolean(),
      }),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(graph, fc.nat(1000), fc.nat(NOW), (nodes, maxSize, maxAge) => {
        const candidates = nodes.map((node, index) => ({
          ...node,
          id: String(index),
          parents: index === 0 ? [] : node.parents.map((parent) => String(parent % index)),
        }))
        const removals = planRemovals(candidates, { maxSize, maxAge, now: NOW })
        const left = new Map(candidates.map((each) => [each.id, each]))
        const sizeLeft = () => [...left.values()].reduce((sum, { size }) => sum + size, 0)
        for (const { candidate, why } of removals) {
          expect(candidate.isInUse).toBe(false)
          if (why === 'size') expect(sizeLeft()).toBeGreaterThan(maxSize)
          left.delete(candidate.id)
          for (const { parents } of left.values()) expect(parents).not.toContain(candidate.id)
        }
        const needed = new Set<string>()
        const need = (id: string) => {
          needed.add(id)
          for (const parent of left.get(id)?.parents ?? []) need(parent)
        }
        for (const { id, isInUse } of left.values()) if (isInUse) need(id)
        if (sizeLeft() > maxSize) expect(left.size).toBe(needed.size)
      }),
    )
  })
})
