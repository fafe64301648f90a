import { VmStatesError } from '../params/errors.js'

/** How a host program is run. */
export interface ToolOptions {
  cwd?: string
  /** Text for its standard input. */
  input?: string
  signal?: AbortSignal | undefined
  /** Where to get the program, for the error of a host that has not got it. */
  install?: string
}

/**
 * Runs a program of the host that helps to make an image, and waits for it.
 *
 * @returns its standard output
 * @throws VmStatesError `TOOL_MISSING`, `ABORTED`, `DISK_FULL`, or `TOOL_FAILED` with the command and what it said
 */
export async function runTool(
  file: string,
  args: readonly string[],
  { cwd, input, signal, install = file }: ToolOptions = {},
): Promise<string> {
  const { execa } = await import('execa')
  const result = await execa(file, args, {
    reject: false,
    // Administrators' tools (mke2fs, debugfs) are not in an ordinary user's PATH on Debian.
    env: { LC_ALL: 'C', PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    maxBuffer: 64 * 2 ** 20,
  })
  if (!result.failed) return result.stdout
  if (result.isCanceled) throw new VmStatesError('ABORTED', `${file} was cancelled`)
  // EACCES: nowhere, and a directory of PATH may not be searched.
  if (result.code === 'ENOENT' || result.code === 'EACCES') {
    throw new VmStatesError('TOOL_MISSING', `${file} is not installed on this host`, {
      hint: `Install the package ${install}.`,
    })
  }
  const said = result.stderr.trim().split('\n').slice(-5).join('; ')
  const isFull = /No space left on device|Disk quota exceeded/.test(result.stderr)
  throw new VmStatesError(
    isFull ? 'DISK_FULL' : 'TOOL_FAILED',
    `${result.command} failed with exit code ${result.exitCode ?? result.signal ?? 'none'}: ${said}`,
    {
      cause: result,
      ...(isFull && { hint: 'Free some space, or put the store on another disk.' }),
    },
  )
}
