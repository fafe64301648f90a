import type { Terminal } from './output/board.js'
import type { Progress } from './output/progress.js'

/** What a command found or did. */
export interface Report {
  /** For `--json`: the whole result. */
  data: unknown
  /** For people; empty for nothing to say. */
  text: string
  /** What went wrong with a part of it: for people, said on the standard error. */
  errors?: readonly unknown[]
  /** 1 if the answer is no, 3 if a part of it failed; that of a command in a guest; 0 otherwise. */
  exitCode?: number
}

/** What every command gets besides its own arguments. */
export interface Context {
  /** Aborted by Ctrl-C: end, and leave everything as it was. */
  signal: AbortSignal
  /** Shown once the command has taken a second. */
  progress: Progress
  /** Whether the text for people may have colours. */
  colors: boolean
  /** The standard error, for a command that shows its progress by itself. */
  terminal: { stream: Terminal; colors: boolean }
}
