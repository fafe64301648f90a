import { expect, test } from 'vitest'
import { timedLines } from '../../../src/qemu/machine/timed-lines.js'

test('each line has the time at which its beginning was there', () => {
  const bytes = Buffer.from('first\r\nsec\x1b[1mond\r\n\r\nlast')
  const marks = [
    { end: 9, time: 1234 },
    { end: bytes.length - 4, time: 65_000 },
    { end: bytes.length, time: 3_600_000 },
  ]
  expect(timedLines(bytes, 0, marks, { isCut: false }).split('\n')).toEqual([
    '    1.23 | first',
    '    1.23 | second',
    '   65.00 |',
    ' 3600.00 | last',
  ])
})

test('the end alone begins with a whole line, by its place in all', () => {
  const bytes = Buffer.from('rst\r\nsecond\r\n')
  const marks = [
    { end: 7, time: 1000 },
    { end: 15, time: 2000 },
  ]
  expect(timedLines(bytes, 2, marks, { isCut: true })).toBe('    2.00 | second')
  expect(timedLines(Buffer.alloc(0), 0, [], { isCut: false })).toBe('')
})
