import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_NAME_LENGTH, nameSchema, stateNameSchema } from '../../src/params/names.js'

const LETTERS = [...'ABCXYZabcxyz']
const OTHERS = [...'0123456789._-']
const good = (name: string) => nameSchema.safeParse(name).success

describe('a name', () => {
  test('may be any letters, digits, ".", "_", "-" after a letter', () => {
    const rest = fc.string({ unit: fc.constantFrom(...LETTERS, ...OTHERS), maxLength: 127 })
    fc.assert(
      fc.property(fc.constantFrom(...LETTERS), rest, (first, others) => {
        fc.pre(!others.includes('..'))
        expect(good(first + others)).toBe(true)
      }),
    )
  })

  test('is refused when any character is not one of those', () => {
    const odd = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 1 })
      .filter((character) => !/[A-Za-z0-9._-]/.test(character))
    fc.assert(
      fc.property(fc.string(), odd, fc.string(), (before, character, after) => {
        expect(good(`a${before}${character}${after}`)).toBe(false)
      }),
    )
  })

  test.each(['', '.', '..', 'a/b', '../a', 'a..b', '-a', '.a', 'a b', 'a\n', '7', '007'])(
    'is refused: %j',
    (name) => {
      expect(good(name)).toBe(false)
    },
  )

  test('is refused with one reason, so that the error is one line', () => {
    expect(nameSchema.safeParse('..').error?.issues).toHaveLength(1)
  })

  test('has at most 128 characters', () => {
    expect(good('a'.repeat(MAX_NAME_LENGTH))).toBe(true)
    expect(good('a'.repeat(MAX_NAME_LENGTH + 1))).toBe(false)
  })

  test.each(['root', 'boot'])('of a state is not the reserved %j', (name) => {
    expect(good(name)).toBe(true)
    expect(stateNameSchema.safeParse(name).success).toBe(false)
  })
})
