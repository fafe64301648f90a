import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { renderScreen } from '../../../src/guest/console/screen.js'

describe('the last screen of a console', () => {
  it.each([
    ['what a progress bar ended with', 'at   1%\rat 100%\r\ndone', 'at 100%\ndone'],
    [
      'a menu that was drawn over the boot',
      'old\r\nold\x1b[2J\x1b[1;1H\x1b[7mGRUB\x1b[0m\x1b[3;5Hdebian',
      'GRUB\n\n    debian',
    ],
    ['a line that was shortened', 'password: secret\r\x1b[10C\x1b[K', 'password:'],
    ['text that wraps', 'x'.repeat(85), `${'x'.repeat(80)}\nxxxxx`],
    [
      'a corrected word, a table, and no title',
      'teh\b\bhe\tb\x1b]0;title\x07\r\n\x1b(Bq\x1b7',
      'the     b\nq',
    ],
    ['nothing after a reset', 'gone\x1bc', ''],
    [
      'text in rows and columns by number and by steps',
      'a\x1b[5db\x1b[2Ac\x1b[1Bd\x1b[3Ge\x1b[2Df',
      'a\n\n  c\n fed\n b',
    ],
    [
      'what is left when all before the cursor was erased',
      'one\r\ntwo three\x1b[4D\x1b[1K\x1b[1A\x1b[1J',
      '\n      ree',
    ],
  ])('is %s', (_, raw, shown) => {
    expect(renderScreen(raw)).toBe(shown)
  })

  it('is the text itself where no line is long and nothing moves the cursor', () => {
    const line = fc.stringMatching(/^[!-~]{1,80}$/)
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 60 }), (lines) => {
        expect(renderScreen(lines.join('\r\n'))).toBe(lines.slice(-25).join('\n'))
      }),
    )
  })

  it('never has more than 25 lines of 80 characters, and no control characters', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .tuple(fc.stringMatching(/^[0-9;?]{0,9}$/), fc.stringMatching(/^[@-~]$/))
        .map(([parameters, final]) => `\x1b[${parameters}${final}`),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const lines = renderScreen(pieces.join('')).split('\n')
        expect(lines.length).toBeLessThanOrEqual(25)
        for (const line of lines) expect([...line].length).toBeLessThanOrEqual(80)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        expect(lines.join('')).not.toMatch(/[\x00-\x1f\x7f-\x9f]/)
      }),
    )
  })
})
