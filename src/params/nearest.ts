/** The number of characters to insert, delete, replace or swap to get from one text to the other. */
function editDistance(from: string, to: string): number {
  const rows: number[][] = []
  const at = (row: number, column: number) => rows[row]?.[column] ?? row + column
  for (let row = 0; row <= from.length; row++) {
    rows.push([row])
    for (let column = 1; column <= to.length; column++) {
      const changed = from[row - 1] === to[column - 1] ? 0 : 1
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      const ways = [at(row, column - 1) + 1]
      if (row > 0) ways.push(at(row - 1, column) + 1, at(row - 1, column - 1) + changed)
      if (row > 1 && column > 1 && swapped) ways.push(at(row - 2, column - 2) + 1)
      rows[row]?.push(Math.min(...ways))
    }
  }
  return at(from.length, to.length)
}

/**
 * The known word that was probably meant by an unknown one.
 *
 * @returns the closest of `known`, or nothing when all of them are quite different
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: { candidate: string; distance: number } | undefined
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (best === undefined || distance < best.distance) best = { candidate, distance }
  }
  return best !== undefined && best.distance <= Math.max(1, word.length / 3)
    ? best.candidate
    : undefined
}
