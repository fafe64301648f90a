import { expect, test } from 'vitest'
import { formatDate } from '../../../src/cli/output/date.js'

test('a date is local time, with every part in two digits', () => {
  expect(formatDate(new Date(2026, 0, 2, 3, 4, 5))).toBe('2026-01-02 03:04:05')
  expect(formatDate(new Date(2026, 11, 31, 23, 59, 58))).toBe('2026-12-31 23:59:58')
})
