import { cleanConsole } from '../../qemu/machine/clean-console.js'
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

/** The last lines of a console, as an error shows them. Never rejects. */
export async function consoleTailForError(
  source: Pick<GuestProcess, 'consoleFile' | 'consoleTail'>,
): Promise<ConsoleTail> {
  const raw = await source.consoleTail(SHOWN_BYTES).catch(() => '')
  const lines = cleanConsole(raw).split('\n')
  return { path: source.consoleFile, text: lines.slice(-SHOWN_LINES).join('\n') }
}
