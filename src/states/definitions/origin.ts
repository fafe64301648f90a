import { fileURLToPath } from 'node:url'
import { readText } from './source-text.js'
import type { Origin } from './types.js'

/**
 * The file whose code called a definition function, as V8 runs it: the states file itself where a
 * loader compiles it on the fly (jiti, Vitest), the compiled file where it was compiled ahead. Its
 * text is read at once, so that an edit during a long build cannot pass for what was run.
 *
 * @param called - the definition function; frames up to and including it are left out
 * @returns nothing for code that is in no file (`eval`, the REPL)
 */
export function findOrigin(called: (...args: never[]) => unknown): Origin | undefined {
  const file = callerFile(called)
  if (file === undefined) return undefined
  try {
    return { file, text: readText(file) }
  } catch {
    return undefined
  }
}

/**
 * The file whose code called a function, as {@link findOrigin} finds it.
 *
 * @param called - frames up to and including it are left out
 */
export function callerFile(called: (...args: never[]) => unknown): string | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error
  const holder: { stack?: unknown } = {}
  try {
    Error.stackTraceLimit = 1
    Error.prepareStackTrace = (_, callSites) => callSites[0]?.getFileName()
    Error.captureStackTrace(holder, called)
    return toPath(holder.stack)
  } finally {
    Error.prepareStackTrace = prepareStackTrace
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** Loaders append a query (`?t=1`) to tell two versions of one file apart. */
function toPath(name: unknown): string | undefined {
  if (typeof name !== 'string') return undefined
  if (name.startsWith('file:')) return fileURLToPath(name)
  return name.startsWith('/') ? name.replace(/\?[^/]*$/, '') : undefined
}
