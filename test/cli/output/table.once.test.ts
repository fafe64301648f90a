import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cell, table } from '../../../src/cli/output/table.js'

const COLUMNS = [{ heading: 'STATE' }, { heading: 'SIZE', align: 'right' }] as const

describe('a table', () => {
  test('lines up its columns, two blanks apart, without blanks at line ends', () => {
    const rows = [
      ['a', '1 B'],
      ['longer', '10 KiB'],
    ]
    expect(table(COLUMNS, rows, false)).toBe(
      ['STATE     SIZE', 'a          1 B', 'longer  10 KiB'].join('\n'),
    )
  })

  test('lines up wide and combining characters by what a terminal shows', () => {
    const rows = [
      ['状态', '1'],
      ['e\u0301te\u0301', '2'],
    ]
    expect(table(COLUMNS, rows, false).split('\n').slice(1)).toEqual([
      '状态      1',
      'e\u0301te\u0301       2',
    ])
  })

  test('has a line for each row, whatever the texts are', () => {
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), (rows) => {
        expect(table(COLUMNS, rows, false).split(/[\n\r\u2028\u2029\v\f\x85]/)).toHaveLength(
          rows.length + 1,
        )
      }),
    )
  })

  test('sends no control characters to a terminal', () => {
    expect(cell('a\nb\x1b[2J\u202ec')).toBe('a\\u{a}b\\u{1b}[2J\\u{202e}c')
  })
})
