import { printable } from './printable.js'
import { style } from './style.js'

/** A column: its heading, and on which side its texts line up. */
export interface Column {
  heading: string
  align?: 'left' | 'right'
}

/**
 * A text as one cell of a table: control characters are shown as escapes, so that a tag can neither
 * forge a row nor send commands to a terminal.
 */
export function cell(text: string): string {
  return printable(text).replaceAll('\n', '\\u{a}')
}

/**
 * Rows for people: a line of headings, two blanks between columns, no blanks at the end of a line.
 *
 * @param rows - as many texts in each as there are columns
 */
export function table(
  columns: readonly Column[],
  rows: readonly string[][],
  colors: boolean,
): string {
  const cells = rows.map((row) => row.map(cell))
  const widths = columns.map(({ heading }, index) =>
    Math.max(width(heading), ...cells.map((row) => width(row[index] ?? ''))),
  )
  const line = (row: readonly string[]) =>
    row
      .map((text, index) => {
        const padding = ' '.repeat((widths[index] ?? 0) - width(text))
        return columns[index]?.align === 'right' ? padding + text : text + padding
      })
      .join('  ')
      .trimEnd()
  const headings = line(columns.map(({ heading }) => heading))
  return [style('heading', headings, colors), ...cells.map(line)].join('\n')
}

/** Characters that take one column each: most texts have no others. */
const PLAIN = /^[\u0020-\u02ff\u2500-\u257f]*$/

/** Columns of a terminal that a text takes: East Asian wide characters and emoji take two. */
function width(text: string): number {
  if (PLAIN.test(text)) return text.length
  let columns = 0
  for (const character of text) columns += characterWidth(character)
  return columns
}

function characterWidth(character: string): number {
  if (/^\p{M}$/u.test(character)) return 0
  return /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]$/u.test(
    character,
  )
    ? 2
    : 1
}
