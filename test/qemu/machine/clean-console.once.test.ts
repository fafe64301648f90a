import { describe, expect, test } from 'vitest'
import { cleanConsole } from '../../../src/qemu/machine/clean-console.js'

describe('a console that was cleaned', () => {
  test('is free of what firmware and boot loaders send to a terminal', () => {
    const raw =
      '\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS\r\n\x1b[01;01H\x1b[K\x07Booting\x00...\r\r\nlogin:\x08 \ttab  '
    expect(cleanConsole(raw)).toBe('SeaBIOS\nBooting...\nlogin: \ttab')
  })

  test('has no runs of empty lines', () => {
    expect(cleanConsole('\n\n\na\r\n\r\n\r\n\r\n\r\nb\n\n')).toBe('a\n\nb')
  })
})
