import { expect, test } from 'vitest'
import { printable } from '../../../src/cli/output/printable.js'

test.each([
  ['clears the screen\x1b[2J', 'clears the screen\\u{1b}[2J'],
  ['in eight bits\x9b2J', 'in eight bits\\u{9b}2J'],
  ['back\rto the start', 'back\\u{d}to the start'],
  ['from the right\u202etfel', 'from the right\\u{202e}tfel'],
  ['Größe 大きさ\nof two lines', 'Größe 大きさ\nof two lines'],
])('%j is printed as %j', (text, printed) => {
  expect(printable(text)).toBe(printed)
})
