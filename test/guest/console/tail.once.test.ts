import { describe, expect, test } from 'vitest'
import { consoleTailForError } from '../../../src/guest/console/tail.js'

describe('the console as an error shows it', () => {
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
