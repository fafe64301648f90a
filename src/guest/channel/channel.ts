import type { Readable, Writable } from 'node:stream'
import type { AgentCallOptions, AgentClient } from '../agent/client.js'
import type { GuestError } from '../guest-error.js'

/** A program of the guest's, with what it reads and where what it prints goes. */
export interface Program {
  path: string
  arg: readonly string[]
  /** Its standard input; nothing unless given. */
  input?: Buffer | Readable | undefined
  /** Get output as it comes, and are ended with it; what they get is not kept. */
  stdout?: Writable | undefined
  stderr?: Writable | undefined
}

/** What a program did. */
export interface ProgramStatus {
  /** Undefined if a signal ended it. */
  exitCode: number | undefined
  /** The signal that ended it, such as `SIGKILL`. */
  signal: string | undefined
  stdout: Buffer
  stderr: Buffer
  /** The output of which there was more than the channel keeps. */
  truncated?: 'stdout' | 'stderr' | undefined
}

/** A program that a channel has started. */
export interface RunningProgram {
  /** When it has ended and closed its output. A program that cannot be started ends as in a shell. */
  readonly ended: Promise<ProgramStatus>
  /** Kills its process group. */
  kill(): Promise<void>
}

/** How a program is started. */
export interface StartOptions {
  /** Whether it may have to be killed, with all that it has started. */
  killable?: boolean
  /** Withdraws a program that was not started yet. */
  signal?: AbortSignal
}

/**
 * A way to the inside of a guest. All that a {@link Vm} does in its guest it does through one of these;
 * whatever can run programs and say what they printed can be one.
 */
export interface Channel {
  /** The guest agent, where it is what this channel goes through: it knows ways without a shell. */
  readonly agent: AgentClient | undefined
  /** Whether the guest has ever answered. */
  readonly answered: boolean
  /** Milliseconds that a guest that answers needs at most to kill a command. */
  readonly killTimeout: number
  /** Waits until the guest answers. */
  connect(options?: AgentCallOptions): Promise<void>
  start(program: Program, options?: StartOptions): Promise<RunningProgram>
  /**
   * Reads a file of any size.
   *
   * @throws GuestError `GUEST_FILE_FAILED`
   */
  readFile(path: string, options?: AgentCallOptions): Promise<Buffer>
  /** The error of a guest that has never answered. */
  missing(timeout: number): GuestError
  /** Ends every call, now and later. */
  close(reason: () => GuestError): void
}

/** Runs a program through a channel and waits for its end. */
export async function runProgram(channel: Channel, program: Program): Promise<ProgramStatus> {
  return await (await channel.start(program)).ended
}
