/** What a terminal takes for more than text, apart from the ends of lines. */
const CONTROL = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/**
 * A text that may hold what others named, such as the path of an image or the console of a guest:
 * control characters are shown as escapes, so that none of it sends commands to a terminal.
 */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}
