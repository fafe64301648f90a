import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentClient } from '../agent/client.js'
import type { ExecStatus } from '../agent/commands.js'
import { AgentRefusal } from '../agent/refusal.js'
import { type Program, runProgram, type StartedProgram, startProgram } from './run.js'

/**
 * Starts a program in a process group of its own, so that all of it can be killed: the agent leaves
 * what it starts in its own group. `setsid` stays the same process, and costs less than a shell would.
 * Where the guest has none, a kill reaches the program alone.
 */
export async function startKillable(
  agent: AgentClient,
  program: Program,
  signal: AbortSignal,
): Promise<StartedProgram> {
  const { path, arg, input } = program
  try {
    return await startProgram(agent, { path: 'setsid', arg: [path, ...arg], input }, signal)
  } catch (error) {
    if (!(error instanceof AgentRefusal) || !error.description.includes('setsid')) throw error
    return startProgram(agent, program, signal)
  }
}

const KILL_GROUP = 'kill -KILL -- "-$1" 2>/dev/null || kill -KILL "$1"'

/** Milliseconds that a killed command gets until its caller no longer waits for it. */
const GRACE = 2000

async function kill(agent: AgentClient, started: Promise<StartedProgram>): Promise<ExecStatus> {
  const { pid, ended } = await started
  await runProgram(agent, { path: '/bin/sh', arg: ['-c', KILL_GROUP, 'sh', String(pid)] })
  return ended
}

/**
 * Kills a command's process group in the guest. Never rejects.
 *
 * @returns what the command had printed until then, if the guest tells within the grace period
 */
export async function killProgram(
  agent: AgentClient,
  started: Promise<StartedProgram>,
): Promise<ExecStatus | undefined> {
  const giveUp = new AbortController()
  const killed = kill(agent, started).catch(() => undefined)
  const tooLate = sleep(GRACE, undefined, { signal: giveUp.signal }).catch(() => undefined)
  const status = await Promise.race([killed, tooLate])
  giveUp.abort()
  return status
}
