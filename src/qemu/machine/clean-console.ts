import { stripVTControlCharacters } from 'node:util'

/** What a serial line carried without escape sequences and other control characters. */
export function plainConsole(raw: string): string {
  return (
    stripVTControlCharacters(raw)
      .replace(/\r+\n?/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffd]/g, '')
  )
}

/** Makes what a serial line carried readable: plain, without blanks at ends and most empty lines. */
export function cleanConsole(raw: string): string {
  return plainConsole(raw)
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}
