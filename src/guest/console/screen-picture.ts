/** Pixels of a character in 14 px monospace, and the margin. */
const CELL = { width: 8.4, height: 18 }
const MARGIN = 10

const COLUMNS = 80

/**
 * A picture of a screen of text, for what shows pictures but no text files.
 *
 * @param screen - as `renderScreen` gives it
 * @returns an SVG
 */
export function screenPicture(screen: string): string {
  const lines = screen.split('\n')
  const width = Math.ceil(COLUMNS * CELL.width) + 2 * MARGIN
  const height = lines.length * CELL.height + 2 * MARGIN
  const texts = lines.map((line, index) => {
    const y = MARGIN + (index + 0.75) * CELL.height
    return `<text x="${MARGIN}" y="${y}" xml:space="preserve">${escaped(line)}</text>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">`,
    '<rect width="100%" height="100%" fill="#111"/>',
    '<g fill="#ddd" font-family="monospace" font-size="14">',
    ...texts,
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

/** Half of a pair of surrogates, and two others, have no place in XML. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\p{Surrogate}\ufffe\uffff]/gu, '')
}
