import { deferred } from '../../qemu/deferred.js'
import type {
  Channel,
  Program,
  ProgramStatus,
  RunningProgram,
  StartOptions,
} from '../channel/channel.js'
import { signalName } from '../channel/signal-name.js'
import { runProgram, type StartedProgram, startProgram } from '../exec/run.js'
import type { GuestError } from '../guest-error.js'
import type { GuestProcess } from '../guest-process.js'
import { type AgentCallOptions, AgentClient } from './client.js'
import type { ExecStatus } from './commands.js'
import { readFile } from './read-file.js'
import { AgentRefusal } from './refusal.js'
import { missingAgentError } from './silence.js'
import { type StreamedProgram, streamProgram } from './stream-program.js'

/** The way to a guest through its QEMU guest agent. It needs no network. */
export class AgentChannel implements Channel {
  readonly agent: AgentClient
  readonly killTimeout = 2000
  readonly #process: GuestProcess
  readonly #streamed = new Set<StreamedProgram>()

  constructor(process: GuestProcess) {
    this.#process = process
    this.agent = new AgentClient(process.agent)
  }

  get answered(): boolean {
    return this.agent.answered
  }

  connect(options: AgentCallOptions = {}): Promise<void> {
    return this.agent.synchronize(options)
  }

  async start(program: Program, options: StartOptions = {}): Promise<RunningProgram> {
    const { input, stdout, stderr } = program
    const isBuffer = input === undefined || Buffer.isBuffer(input)
    if (isBuffer && stdout === undefined && stderr === undefined) {
      return await this.#start({ ...program, input }, options)
    }
    const streamed = await streamProgram(this.#process, program)
    this.#streamed.add(streamed)
    const forget = async () => {
      await streamed.close()
      this.#streamed.delete(streamed)
    }
    try {
      const { ended, kill } = await this.#start(streamed.program, options)
      const killed = deferred<void>()
      const all = ended
        .then((status) =>
          Promise.race([streamed.complete(status), killed.promise.then(() => status)]),
        )
        .finally(forget)
        .then((status) => streamed.drained.then(() => status))
      all.catch(() => {})
      const killAll = async () => {
        killed.resolve()
        await kill()
      }
      return { ended: all, kill: killAll }
    } catch (error) {
      await forget()
      throw error
    }
  }

  readFile(path: string, options?: AgentCallOptions): Promise<Buffer> {
    return readFile(this.agent, path, options)
  }

  missing(timeout: number): GuestError {
    return missingAgentError(timeout)
  }

  close(reason: () => GuestError): void {
    this.agent.close(reason)
    for (const streamed of this.#streamed) void streamed.close()
  }

  async #start(
    program: { path: string; arg: readonly string[]; input?: Buffer | undefined },
    { killable = false, signal }: StartOptions,
  ): Promise<RunningProgram> {
    const started = (killable ? startKillable : startProgram)(this.agent, program, signal)
    try {
      const { pid, ended } = await started
      const status = ended.then(toStatus)
      status.catch(() => {}) // whoever awaits it hears of it; no one may be left to
      return { ended: status, kill: () => killGroup(this.agent, pid) }
    } catch (error) {
      if (!wasNotStarted(error)) throw error
      return { ended: Promise.resolve(notStarted(error)), kill: async () => {} }
    }
  }
}

/**
 * Starts a program in a process group of its own, so that all of it can be killed: the agent leaves
 * what it starts in its own group. `setsid` stays the same process, and costs less than a shell would.
 * Where the guest has none, a kill reaches the program alone.
 */
async function startKillable(
  agent: AgentClient,
  program: { path: string; arg: readonly string[]; input?: Buffer | undefined },
  signal?: AbortSignal,
): Promise<StartedProgram> {
  const { path, arg, input } = program
  try {
    return await startProgram(agent, { path: 'setsid', arg: [path, ...arg], input }, signal)
  } catch (error) {
    if (!(error instanceof AgentRefusal) || !error.description.includes('setsid')) throw error
    return startProgram(agent, program, signal)
  }
}

const KILL_GROUP = 'kill -s KILL -- "-$1" 2>/dev/null || kill -s KILL "$1"'

async function killGroup(agent: AgentClient, pid: number): Promise<void> {
  await runProgram(agent, { path: '/bin/sh', arg: ['-c', KILL_GROUP, 'sh', String(pid)] })
}

function wasNotStarted(error: unknown): error is AgentRefusal {
  return error instanceof AgentRefusal && /Failed to execute child/.test(error.description)
}

/** What a shell would say about a program that cannot be started. */
function notStarted({ description }: AgentRefusal): ProgramStatus {
  const reason = /error was '(?<text>.*)'$/s.exec(description)?.groups?.text ?? description
  return {
    exitCode: /No such file/.test(reason) ? 127 : 126,
    signal: undefined,
    stdout: Buffer.alloc(0),
    stderr: Buffer.from(`${reason}\n`),
  }
}

function toStatus(status: ExecStatus): ProgramStatus {
  const truncated = status['out-truncated'] ? 'stdout' : status['err-truncated'] && 'stderr'
  return {
    exitCode: status.exitcode,
    signal: status.signal === undefined ? undefined : signalName(status.signal),
    stdout: Buffer.from(status['out-data'] ?? '', 'base64'),
    stderr: Buffer.from(status['err-data'] ?? '', 'base64'),
    ...(truncated && { truncated }),
  }
}
