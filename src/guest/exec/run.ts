import { setTimeout as sleep } from 'node:timers/promises'
import { monotonic } from '../../params/clocks.js'
import type { AgentClient } from '../agent/client.js'
import type { ExecStatus } from '../agent/commands.js'
import { AgentRefusal } from '../agent/refusal.js'
import { restartedAgentError } from '../agent/silence.js'

/** A program, as `guest-exec` takes it. */
export interface Program {
  path: string
  arg: readonly string[]
  input?: Buffer | undefined
}

/** A program that the guest agent has started. */
export interface StartedProgram {
  /** The guest's pid of it. */
  pid: number
  /** When it has ended and closed its output. */
  ended: Promise<ExecStatus>
}

const LONGEST_WAIT = 200

/**
 * Milliseconds until the next look: a tenth of the time so far, so that waiting adds at most that. A guest
 * that has one CPU looks instead of running the program.
 */
function pollInterval(elapsed: number): number {
  return Math.min(elapsed / 10, LONGEST_WAIT)
}

/** How agents say that they know no such process: up to QEMU 8.1, and later. */
const FORGOTTEN = /parameter 'pid'|^PID .* does not exist/

/** @param start - when the program was asked for: where starting takes long, running does, too */
async function waitForEnd(agent: AgentClient, pid: number, start: number): Promise<ExecStatus> {
  for (;;) {
    const interval = pollInterval(monotonic() - start)
    if (interval >= 1) await sleep(interval)
    const status = await agent.execute('guest-exec-status', { pid }).catch((error: unknown) => {
      const forgotten = error instanceof AgentRefusal && FORGOTTEN.test(error.description)
      throw forgotten ? restartedAgentError(`its process ${pid}`) : error
    })
    if (status.exited) return status
  }
}

/**
 * Starts a program through the guest agent, keeping its output.
 *
 * @throws AgentRefusal if the agent cannot start it
 */
export async function startProgram(
  agent: AgentClient,
  { path, arg, input }: Program,
  signal?: AbortSignal,
): Promise<StartedProgram> {
  const start = monotonic()
  const { pid } = await agent.execute(
    'guest-exec',
    {
      path,
      arg,
      'capture-output': true,
      ...(input !== undefined && { 'input-data': input.toString('base64') }),
    },
    signal === undefined ? {} : { signal },
  )
  const ended = waitForEnd(agent, pid, start)
  ended.catch(() => {}) // whoever awaits it hears of it; no one may be left to
  return { pid, ended }
}

/** Starts a program through the guest agent and waits for its end. */
export async function runProgram(agent: AgentClient, program: Program): Promise<ExecStatus> {
  return (await startProgram(agent, program)).ended
}
