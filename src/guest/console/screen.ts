const ROWS = 25
const COLUMNS = 80

/** Characters of a console that a screen is rendered from: full-screen programs redraw it all. */
const LOOKED_AT = 64 * 1024

/**
 * What a serial line carries: control sequences (ECMA-48) with their parameters, titles and other
 * strings for the terminal, short escapes, single control characters, and text.
 */
const TOKENS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is read
  /\x1b\[(?<parameters>[0-?]*)[ -/]*(?<final>[@-~])|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*(?<short>[0-~])?|(?<control>[\x00-\x1f\x7f-\x9f])|(?<text>[^\x00-\x1f\x7f-\x9f]+)/gu

/**
 * The last screen of a serial console: what a terminal of 80 columns and 25 rows would show after
 * all that came over the line. Colours are left out, and so are scroll regions.
 *
 * @param raw - as it came over the line
 * @returns lines without the blanks at their ends, and without the empty ones at the bottom
 */
export function renderScreen(raw: string): string {
  const screen = new Screen()
  for (const { groups = {} } of raw.slice(-LOOKED_AT).matchAll(TOKENS)) {
    const { parameters, final, short, control, text } = groups
    if (text !== undefined) screen.print(text)
    else if (control !== undefined) screen.control(control)
    else if (final !== undefined) screen.sequence(final, parameters ?? '')
    else if (short === 'c') screen.reset()
  }
  return screen.toString()
}

class Screen {
  #rows: string[][] = Array.from({ length: ROWS }, () => [])
  #row = 0
  #column = 0

  reset(): void {
    this.#eraseScreen(2)
    this.#moveTo(0, 0)
  }

  print(text: string): void {
    for (const character of text) {
      if (this.#column >= COLUMNS) this.#lineFeed(0)
      const row = this.#rows[this.#row] ?? []
      while (row.length < this.#column) row.push(' ')
      row[this.#column++] = character
    }
  }

  control(character: string): void {
    if (character === '\r') this.#column = 0
    else if (character === '\b') this.#column = Math.max(0, this.#column - 1)
    else if (character === '\t') this.#column = Math.min(COLUMNS - 1, (this.#column | 7) + 1)
    else if (character === '\n' || character === '\v') this.#lineFeed(this.#column)
  }

  /** A control sequence, by its last character; what is not known changes nothing that is shown. */
  sequence(final: string, parameters: string): void {
    const [first, second] = parameters.split(';').map(Number)
    const count = Math.min(first || 1, ROWS * COLUMNS)
    if (final === 'H' || final === 'f') this.#moveTo((first || 1) - 1, (second || 1) - 1)
    else if (final === 'd') this.#moveTo(count - 1, this.#column)
    else if (final === 'G') this.#moveTo(this.#row, count - 1)
    else if (final === 'A') this.#moveTo(this.#row - count, this.#column)
    else if (final === 'B') this.#moveTo(this.#row + count, this.#column)
    else if (final === 'C') this.#moveTo(this.#row, this.#column + count)
    else if (final === 'D') this.#moveTo(this.#row, this.#column - count)
    else if (final === 'J') this.#eraseScreen(first || 0)
    else if (final === 'K') this.#eraseLine(first || 0)
  }

  toString(): string {
    return this.#rows
      .map((row) => row.join('').trimEnd())
      .join('\n')
      .trimEnd()
  }

  #moveTo(row: number, column: number): void {
    this.#row = Math.max(0, Math.min(ROWS - 1, row || 0))
    this.#column = Math.max(0, Math.min(COLUMNS - 1, column || 0))
  }

  #lineFeed(column: number): void {
    this.#column = column
    if (this.#row < ROWS - 1) this.#row++
    else this.#rows = [...this.#rows.slice(1), []]
  }

  /** @param which - 0: from the cursor on, 1: up to it, 2 and 3: all */
  #eraseScreen(which: number): void {
    this.#eraseLine(which)
    this.#rows = this.#rows.map((row, index) =>
      which >= 2 || (which === 0 ? index > this.#row : index < this.#row) ? [] : row,
    )
  }

  #eraseLine(which: number): void {
    const row = this.#rows[this.#row] ?? []
    this.#rows[this.#row] =
      which === 0
        ? row.slice(0, this.#column)
        : which === 1
          ? row.map((character, index) => (index <= this.#column ? ' ' : character))
          : []
  }
}
