import { expect, test } from 'vitest'
import { keysFor, keysOf } from '../../../src/qemu/machine/keys.js'

test('combinations are of names, of which some are those that people know', () => {
  expect(keysOf('ctrl-alt-Delete')).toEqual(['ctrl', 'alt', 'Delete'])
  expect(keysOf('Control-Escape')).toEqual(['ctrl', 'esc'])
  expect(keysOf('enter')).toEqual(['ret'])
})

test.each(['', '-', 'ctrl-', '-a', 'ctrl--a'])('%j is no combination', (combination) => {
  expect(() => keysOf(combination)).toThrow('joined by "-"')
})

test('each character that a US keyboard has is one key, with shift or without', () => {
  expect(keysFor('aB1! \n')).toEqual([
    ['a'],
    ['shift', 'b'],
    ['1'],
    ['shift', '1'],
    ['spc'],
    ['ret'],
  ])
  const printable = String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 32 + index))
  expect(new Set(keysFor(printable).map((keys) => keys.join())).size).toBe(95)
})

test('what it does not have is refused, and named', () => {
  expect(() => keysFor('aß')).toThrow('has no key for "ß"')
})
