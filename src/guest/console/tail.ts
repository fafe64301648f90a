import { stripVTControlCharacters } from 'node:util'
import type { GuestProcess } from '../guest-process.js'

const SHOWN_LINES = 20
const SHOWN_BYTES = 8192

/** The end of a serial console's log. */
export interface ConsoleTail {
  /** Absolute path of the log. */
  path: string
  /** Text without control characters; empty if there is none. */
  text: string
}

/** Makes what a serial line carried readable: no escape sequences, no other control characters. */
export function cleanConsole(raw: string): string {
  return (
    stripVTControlCharacters(raw)
      .replace(/\r+\n?/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffd]/g, '')
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim()
  )
}

/** The last lines of a console, as an error shows them. Never rejects. */
export async function consoleTailForError(
  source: Pick<GuestProcess, 'consoleFile' | 'consoleTail'>,
): Promise<ConsoleTail> {
  const raw = await source.consoleTail(SHOWN_BYTES).catch(() => '')
  const lines = cleanConsole(raw).split('\n')
  return { path: source.consoleFile, text: lines.slice(-SHOWN_LINES).join('\n') }
}
