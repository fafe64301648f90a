import { describe, expect, test } from 'vitest'
import { cleanConsole, consoleTailForError } from '../../../src/guest/console/tail.js'

describe('the console as an error shows it', () => {
  test('is free of what firmware and boot loaders send to a terminal', () => {
    const raw =
      '\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS\r\n\x1b[01;01H\x1b[K\x07Booting\x00...\r\r\nlogin:\x08 \ttab  '
    expect(cleanConsole(raw)).toBe('SeaBIOS\nBooting...\nlogin: \ttab')
  })

  test('has no runs of empty lines', () => {
    expect(cleanConsole('\n\n\na\r\n\r\n\r\n\r\n\r\nb\n\n')).toBe('a\n\nb')
  })

  test('is its last 20 lines', async () => {
    const lines = Array.from({ length: 50 }, (_, index) => `line ${index}\r\n`)
    const consoleTail = async () => lines.join('')
    const tail = await consoleTailForError({ consoleFile: '/console.log', consoleTail })
    expect(tail.path).toBe('/console.log')
    expect(tail.text.split('\n')).toEqual(
      Array.from({ length: 20 }, (_, index) => `line ${index + 30}`),
    )
  })

  test('is nothing where the log cannot be read', async () => {
    const consoleTail = () => Promise.reject(new Error('gone'))
    const tail = await consoleTailForError({ consoleFile: '/console.log', consoleTail })
    expect(tail.text).toBe('')
  })
})
