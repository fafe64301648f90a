/** What follows the name of a state whose kept boot is meant, as in `debian/nginx booted`. */
export const BOOTED = 'booted'

/**
 * Names as they stand on a command line, those of kept boots with or without quotes around both words.
 *
 * @returns one for each that is meant
 */
export function joinBooted(words: readonly string[]): string[] {
  const names: string[] = []
  for (const word of words) {
    const last = names.at(-1)
    if (word === BOOTED && last?.includes('/')) names[names.length - 1] = `${last} ${word}`
    else names.push(word)
  }
  return names
}
