import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type PolicyOperation,
  type PolicyWord,
  resolvePolicy,
  resolveRootPolicy,
} from '../../../src/states/policies/policy.js'

const KNOWN: Record<PolicyOperation, { exists: PolicyWord[]; missing: PolicyWord[] }> = {
  get: { exists: ['reuse', 'abort', 'ignore'], missing: ['abort', 'ignore'] },
  set: { exists: ['force', 'reuse', 'abort'], missing: ['force', 'abort'] },
  unset: { exists: ['force', 'reuse'], missing: ['ignore', 'abort'] },
  push: { exists: ['abort', 'reuse', 'force'], missing: ['force', 'abort'] },
  pop: { exists: ['reuse', 'abort', 'ignore'], missing: ['abort', 'ignore'] },
}
const operations = Object.keys(KNOWN) as PolicyOperation[]

describe('resolveRootPolicy()', () => {
  it('never loses an image by default', () => {
    const operations = ['get', 'set', 'unset'] as const
    expect(operations.map((operation) => resolveRootPolicy(operation))).toEqual([
      { exists: 'reuse', missing: 'abort' },
      { exists: 'abort', missing: 'force' },
      { exists: 'abort', missing: 'ignore' },
    ])
  })

  it('knows both words of an operation', () => {
    expect(() => resolveRootPolicy('unset', { missing: 'force' })).toThrow('ignore, abort')
    expect(() => resolveRootPolicy('set', { exists: 'ignore' })).toThrow('abort, reuse, force')
  })
})

describe('resolvePolicy()', () => {
  it('has the defaults of avocado-i2n', () => {
    expect(operations.map((operation) => [operation, resolvePolicy(operation)])).toEqual([
      ['get', { exists: 'reuse', missing: 'abort' }],
      ['set', { exists: 'force', missing: 'force' }],
      ['unset', { exists: 'force', missing: 'ignore' }],
      ['push', { exists: 'abort', missing: 'force' }],
      ['pop', { exists: 'reuse', missing: 'abort' }],
    ])
  })

  it('takes exactly the words that an operation knows, on both branches', () => {
    const word = fc.oneof(fc.constantFrom('reuse', 'force', 'abort', 'ignore', ''), fc.string())
    fc.assert(
      fc.property(fc.constantFrom(...operations), word, word, (operation, exists, missing) => {
        const known =
          KNOWN[operation].exists.some((each) => each === exists) &&
          KNOWN[operation].missing.some((each) => each === missing)
        const resolve = () => resolvePolicy(operation, { exists, missing })
        if (known) expect(resolve()).toEqual({ exists, missing })
        else expect(resolve).toThrow(expect.objectContaining({ code: 'INVALID_POLICY' }))
      }),
      { numRuns: 500 },
    )
  })

  it('names the words that would be right', () => {
    expect(() => resolvePolicy('unset', { missing: 'force' })).toThrow(
      'unset does not know the policy "force" for a state that is missing: it is one of ignore, abort',
    )
  })
})
