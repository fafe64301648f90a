import { withDeadline } from '../../qemu/deadline.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { AgentClient } from '../agent/client.js'
import { AgentRefusal } from '../agent/refusal.js'
import { runProgram } from '../exec/run.js'
import { GuestError } from '../guest-error.js'
import { hasWaker } from './has-waker.js'
import { WakerLink } from './waker-link.js'
import { WAKER_PROGRAMS } from './waker-programs.js'

/** Milliseconds that a waker gets to answer. */
const ANSWER_TIMEOUT = 5000
/** Milliseconds of silence until the agent is taken for none. */
const AGENT_TIMEOUT = 5000

/**
 * Sees to it that a waker runs in a guest that is about to be kept: what was started before is loaded
 * and warm in every clone, and needs neither the agent nor a new process to set the clock.
 *
 * @param process - a running machine whose agent nobody talks to meanwhile
 * @returns why there is none, for people; undefined if there is one
 * @throws GuestError `GUEST_AGENT_MISSING`
 */
export async function ensureWaker(process: MachineProcess): Promise<string | undefined> {
  if ((await hasWaker(process)) && (await answers(process))) return undefined
  const agent = new AgentClient(process.agent)
  try {
    await agent.synchronize({ timeout: AGENT_TIMEOUT })
    for (const program of WAKER_PROGRAMS) {
      const ended = await runProgram(agent, program).catch((error: unknown) => {
        if (error instanceof AgentRefusal) return undefined
        throw error
      })
      if (ended?.exitcode === 0 && (await answers(process))) return undefined
    }
    return 'it has neither Perl nor Python that could be started by its agent'
  } finally {
    agent.close(() => new GuestError('GUEST_RELEASED', 'the waker was started'))
  }
}

async function answers({ wake }: MachineProcess): Promise<boolean> {
  using link = new WakerLink(wake)
  const report = withDeadline(link.order({}), 'the waker', { timeout: ANSWER_TIMEOUT })
  return await report.then(
    () => true,
    () => false,
  )
}
