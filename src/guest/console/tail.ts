import { cleanConsole } from '../../qemu/machine/clean-console.js'
import type { GuestProcess } from '../guest-process.js'
import { withoutConversation } from './shell/conversation.js'

const SHOWN_LINES = 20
/** With what is left out of them. */
const SHOWN_BYTES = 2 ** 16

/** The last words of a Linux kernel, which are followed by more than is shown. */
export const PANIC = /Kernel panic - not syncing.*/
const LINES_BEFORE_PANIC = 3

/** The end of a serial console's log. */
export interface ConsoleTail {
  /** Absolute path of the log. */
  path: string
  /** Text without control characters; empty if there is none. */
  text: string
}

/** The last lines of a console, or those around a panic, as an error shows them. Never rejects. */
export async function consoleTailForError(
  source: Pick<GuestProcess, 'consoleFile' | 'consoleTail'>,
): Promise<ConsoleTail> {
  const raw = await source.consoleTail(SHOWN_BYTES).catch(() => '')
  const lines = cleanConsole(withoutConversation(raw)).split('\n')
  const panic = lines.findLastIndex((line) => PANIC.test(line))
  const last = Math.max(0, lines.length - SHOWN_LINES)
  const first = panic < 0 ? last : Math.min(last, Math.max(0, panic - LINES_BEFORE_PANIC))
  return { path: source.consoleFile, text: lines.slice(first, first + SHOWN_LINES).join('\n') }
}
