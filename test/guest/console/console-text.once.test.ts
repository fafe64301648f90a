import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConsoleText } from '../../../src/guest/console/console-text.js'

const PIECES = [
  'login: ',
  '\r\n',
  '\r\r\n',
  '\x1b[6n',
  '\x1b[1;31mred\x1b[0m',
  '\x1b]0;title\x07',
  'ž',
  '\n',
]

/** Ends with something certain. */
const END = Buffer.from('.')

test('text is the same in whatever parts it comes, and without escape sequences', () => {
  const raw = fc
    .array(fc.constantFrom(...PIECES), { maxLength: 12 })
    .map((pieces) => Buffer.concat([Buffer.from(pieces.join('')), END]))
  fc.assert(
    fc.property(raw, fc.array(fc.nat(40), { maxLength: 6 }), (bytes, cuts) => {
      const whole = new ConsoleText().add(bytes)
      const text = new ConsoleText()
      const places = [...new Set(cuts)].filter((cut) => cut < bytes.length).sort((a, b) => a - b)
      const parts = [0, ...places].map((from, index) => bytes.subarray(from, places[index]))
      expect(parts.map((part) => text.add(part)).join('')).toBe(whole)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: there are to be none
      expect(whole).not.toMatch(/[\x1b\r]|\[6n|title/)
    }),
  )
})

test('a line is there before it has ended, and what only looks like a sequence does not hide the rest', () => {
  const text = new ConsoleText()
  expect(text.add(Buffer.from('a login: '))).toBe('a login: ')
  text.add(Buffer.from(`\x1b]${'x'.repeat(400)}`))
  expect(text.add(Buffer.from(' after'))).toBe(' after')
})
