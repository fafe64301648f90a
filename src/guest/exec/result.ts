import type { ProgramStatus } from '../channel/channel.js'

/** What a command in the guest did. */
export interface CommandResult<Output extends string | Buffer = string> {
  /** The command as a person would type it. */
  command: string
  /** Standard output; as text, one final newline is stripped, as execa does it. Empty with `onStdout`. */
  stdout: Output
  /** Standard error, in the same form. */
  stderr: Output
  /** The exit code; undefined if a signal ended the command. */
  exitCode: number | undefined
  /** The signal that ended the command, such as `SIGKILL`. */
  signal: string | undefined
  /** Milliseconds from the call to its result, as the host saw it. */
  duration: number
  /** Whether the exit code is other than 0. */
  failed: boolean
}

function decode(bytes: Buffer, encoding: 'utf8' | 'buffer'): string | Buffer {
  return encoding === 'buffer' ? bytes : bytes.toString('utf8').replace(/\r?\n$/, '')
}

/** The result of a command from what its channel says about it. */
export function toResult(
  { stdout, stderr, exitCode, signal }: ProgramStatus,
  command: string,
  duration: number,
  encoding: 'utf8' | 'buffer' = 'utf8',
): CommandResult<string | Buffer> {
  return {
    command,
    stdout: decode(stdout, encoding),
    stderr: decode(stderr, encoding),
    exitCode,
    signal,
    duration,
    failed: exitCode !== 0,
  }
}
