import fc from 'fast-check'
import { expect, it, test } from 'vitest'
import { matches } from '../../../src/qemu/qmp/match.js'

test.each([
  // Of an object, what the pattern names; that may be nothing.
  [{ a: 1, b: 2 }, { a: 1 }, true],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [{ a: { b: 1, c: 2 } }, { a: { c: 2 } }, true],
  [{ a: 1 }, {}, true],
  [{ a: {} }, { a: {} }, true],
  // What is no object is not matched by an empty one.
  [{ a: 1 }, { a: {} }, false],
  [{ a: null }, { a: {} }, false],
  [{ a: [] }, { a: {} }, false],
  [{ a: 'text' }, { a: {} }, false],
  // Null is null.
  [{ a: null }, { a: null }, true],
  [{ a: 1 }, { a: null }, false],
  [{}, { a: null }, false],
  [{}, { a: undefined }, true],
  [{ a: 1 }, { a: undefined }, false],
  // Arrays as they are, item by item.
  [{ a: [1, 2] }, { a: [1, 2] }, true],
  [{ a: [1, 2] }, { a: [1] }, false],
  [{ a: [1, 2] }, { a: [] }, false],
  [{ a: [{ b: 1, c: 2 }] }, { a: [{ b: 1 }] }, true],
  [{ a: { 0: 1 } }, { a: [1] }, false],
  [{ a: '1' }, { a: 1 }, false],
])('%j by %j: %j', (value, pattern, expected) => {
  expect(matches(value, pattern)).toBe(expected)
})

it('every value matches itself, and a value with more properties too', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue()), (value, more) => {
      expect(matches(value, value)).toBe(true)
      expect(matches({ ...more, value }, { value })).toBe(true)
    }),
  )
})

it('what is changed in one place does not match', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string(), { minLength: 1, maxLength: 4 }),
      fc.integer(),
      (path, leaf) => {
        const nested = (end: unknown) =>
          path.reduceRight<unknown>((inner, key) => Object.fromEntries([[key, inner]]), end)
        expect(matches(nested(leaf), nested(leaf + 1))).toBe(false)
        expect(matches(nested({ leaf }), nested({}))).toBe(true)
      },
    ),
  )
})
