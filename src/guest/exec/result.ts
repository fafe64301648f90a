import { constants } from 'node:os'
import type { ExecStatus } from '../agent/commands.js'

/** What a command in the guest did. */
export interface CommandResult<Output extends string | Buffer = string> {
  /** The command as a person would type it. */
  command: string
  /** Standard output; as text, one final newline is stripped, as execa does it. */
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

const SIGNAL_NAMES = new Map<number, string>(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
)

function decode(base64: string | undefined, encoding: 'utf8' | 'buffer'): string | Buffer {
  const bytes = Buffer.from(base64 ?? '', 'base64')
  return encoding === 'buffer' ? bytes : bytes.toString('utf8').replace(/\r?\n$/, '')
}

/** The result of a command from what the agent says about it. */
export function toResult(
  status: ExecStatus,
  command: string,
  duration: number,
  encoding: 'utf8' | 'buffer' = 'utf8',
): CommandResult<string | Buffer> {
  const signal = status.signal === undefined ? undefined : SIGNAL_NAMES.get(status.signal)
  return {
    command,
    stdout: decode(status['out-data'], encoding),
    stderr: decode(status['err-data'], encoding),
    exitCode: status.exitcode,
    signal: signal ?? (status.signal === undefined ? undefined : `signal ${status.signal}`),
    duration,
    failed: status.exitcode !== 0,
  }
}
