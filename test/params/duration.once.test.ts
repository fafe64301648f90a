import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { durationSchema } from '../../src/params/duration.js'
import { formatDuration } from '../../src/params/format-duration.js'

const FACTORS = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, days: 86_400_000, weeks: 604_800_000 }

describe('a duration', () => {
  test('is text with a unit or milliseconds, and both mean the same', () => {
    const unit = fc.constantFrom(...(Object.keys(FACTORS) as (keyof typeof FACTORS)[]))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9999 }), unit, fc.boolean(), (count, name, spaced) => {
        const milliseconds = count * FACTORS[name]
        expect(durationSchema.parse(`${count}${spaced ? ' ' : ''}${name}`)).toBe(milliseconds)
        expect(durationSchema.parse(milliseconds)).toBe(milliseconds)
      }),
    )
  })

  test('may be one of a unit, or a fraction', () => {
    expect(durationSchema.parse('1 day')).toBe(86_400_000)
    expect(durationSchema.parse('1 week')).toBe(604_800_000)
    expect(durationSchema.parse('1.5 h')).toBe(5_400_000)
  })

  test.each([0, -1, 1.5, Number.NaN, '', '1', '1 d', '7d', '-1 h', '1  h', '1e3 s', '0 s', null])(
    'is refused: %j',
    (value) => {
      const message = expect.stringMatching(/^a duration is a whole number of milliseconds/)
      expect(durationSchema.safeParse(value).error?.issues).toMatchObject([{ message }])
    },
  )

  test.each([
    [500, '500 ms'],
    [90_000, '90 s'],
    [7_300_000, '2 h'],
    [86_400_000, '24 h'],
    [30 * 86_400_000 + 5, '30 days'],
  ])('of %i ms is shown as %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text)
  })
})
