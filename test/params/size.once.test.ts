import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatSize } from '../../src/params/format-size.js'
import { sizeSchema } from '../../src/params/size.js'

const FACTORS = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 }

describe('a size', () => {
  test('is text with a unit or bytes, and both mean the same', () => {
    const unit = fc.constantFrom(...(Object.keys(FACTORS) as (keyof typeof FACTORS)[]))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4096 }), unit, fc.boolean(), (count, name, spaced) => {
        const bytes = count * FACTORS[name]
        expect(sizeSchema.parse(`${count}${spaced ? ' ' : ''}${name}`)).toBe(bytes)
        expect(sizeSchema.parse(bytes)).toBe(bytes)
      }),
    )
  })

  test('may have a fraction when that is whole bytes', () => {
    expect(sizeSchema.parse('1.5 GiB')).toBe(1.5 * 2 ** 30)
    expect(sizeSchema.safeParse('0.3 B').success).toBe(false)
  })

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60])(
    'is refused as a number: %d',
    (value) => {
      expect(sizeSchema.safeParse(value).success).toBe(false)
    },
  )

  test.each([
    '',
    '1',
    '1 GB',
    '1G',
    '-1 GiB',
    '1  GiB',
    ' 1 GiB',
    '1e3 MiB',
    '0 B',
    '9e9 TiB',
    'GiB',
  ])('is refused as text: %j', (value) => {
    expect(sizeSchema.safeParse(value).success).toBe(false)
  })

  test('for people is short and within 1 part in 20 of the bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 50 }), (bytes) => {
        const text = formatSize(bytes)
        const [count, unit] = text.split(' ') as [string, keyof typeof FACTORS]
        expect(text.length).toBeLessThanOrEqual(8)
        expect(Math.abs(Number(count) * FACTORS[unit] - bytes) / bytes).toBeLessThanOrEqual(0.05)
      }),
    )
  })

  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [2 ** 20, '1 MiB'],
    [1.5 * 2 ** 30, '1.5 GiB'],
  ])('of %d bytes reads %j', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text)
  })
})
