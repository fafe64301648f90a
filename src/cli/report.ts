import type { Progress } from './output/progress.js'

/** What a command found or did. */
export interface Report {
  /** For `--json`: the whole result. */
  data: unknown
  /** For people; empty for nothing to say. */
  text: string
  /** 1 if the answer is no; done or true otherwise. */
  exitCode?: 0 | 1
}

/** What every command gets besides its own arguments. */
export interface Context {
  /** Aborted by Ctrl-C: end, and leave everything as it was. */
  signal: AbortSignal
  /** Shown once the command has taken a second. */
  progress: Progress
  /** Whether the text for people may have colours. */
  colors: boolean
}
