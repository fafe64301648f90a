import { exitCodeOf, failureData, failureText } from './output/failure.js'
import { Progress } from './output/progress.js'
import { hasColors } from './output/style.js'
import { createProgram } from './program/program.js'
import type { Context, Report } from './report.js'
import { asUsageError, isHelp } from './usage-error.js'

/** Exit codes of a shell for a command that a signal ended. */
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/**
 * Runs the `states` command.
 *
 * @param args - without the interpreter and the script
 * @returns the exit code: 0 done or true, 1 missing or refused by a policy, 2 bad usage or input,
 *   3 a tool failed, 130 interrupted
 */
export async function main(args: readonly string[]): Promise<number> {
  const { stdout, stderr } = process
  // A reader that has seen enough, such as `head`, closes the pipe.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
    // A terminal that is gone: its signal ends this, and what is to be kept still is.
    if (error.code === 'EIO') return
    const code = error.code === 'ENOSPC' ? 'DISK_FULL' : 'UNEXPECTED'
    stderr.write(`error ${code}: the standard output cannot be written: ${error.message}\n`)
    process.exit(3)
  })
  // Nobody is left to tell.
  stderr.on('error', () => {})
  const json = wantsJson(args)
  const interruption = new AbortController()
  let interruptedBy: keyof typeof INTERRUPTED | undefined
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (interruptedBy !== undefined) process.exit(INTERRUPTED[name])
      interruptedBy = name
      interruption.abort()
    })
  }
  const progress = new Progress(stderr, hasColors(stderr))
  const context: Context = {
    signal: interruption.signal,
    progress,
    colors: hasColors(stdout),
    terminal: { stream: stderr, colors: hasColors(stderr) },
  }
  const complain = (error: unknown) => {
    const debug = Boolean(process.env.VM_STATES_DEBUG)
    stderr.write(`${failureText(error, hasColors(stderr), debug)}\n`)
  }
  const print = (report: Report) => {
    const text = json ? JSON.stringify(report.data, null, 2) : report.text
    if (text !== '') stdout.write(`${text}\n`)
    if (!json) report.errors?.forEach(complain)
    return report.exitCode ?? 0
  }

  progress.start()
  try {
    const report = await createProgram(context)(args)
    progress.stop()
    return report === undefined ? 0 : print(report)
  } catch (thrown) {
    progress.stop()
    if (isHelp(thrown)) return 0
    if (interruptedBy !== undefined) return INTERRUPTED[interruptedBy]
    const error = asUsageError(thrown)
    if (json) stdout.write(`${JSON.stringify(failureData(error), null, 2)}\n`)
    else complain(error)
    return exitCodeOf(error)
  }
}

/** Asked before the arguments are understood, so that bad usage is answered as JSON too. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end === -1 ? args.length : end).includes('--json')
}
