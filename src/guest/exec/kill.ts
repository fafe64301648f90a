import { setTimeout as sleep } from 'node:timers/promises'
import type { ProgramStatus, RunningProgram } from '../channel/channel.js'

/**
 * Kills a command's process group in the guest. Never rejects.
 *
 * @param grace - milliseconds that it gets until its caller no longer waits for it
 * @returns what the command had printed until then, if the guest tells within the grace period
 */
export async function killProgram(
  started: Promise<RunningProgram>,
  grace: number,
): Promise<ProgramStatus | undefined> {
  const giveUp = new AbortController()
  const killed = kill(started).catch(() => undefined)
  const tooLate = sleep(grace, undefined, { signal: giveUp.signal }).catch(() => undefined)
  const status = await Promise.race([killed, tooLate])
  giveUp.abort()
  return status
}

async function kill(started: Promise<RunningProgram>): Promise<ProgramStatus> {
  const program = await started
  await program.kill()
  return await program.ended
}
