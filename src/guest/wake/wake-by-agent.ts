import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { AgentClient } from '../agent/client.js'
import { runProgram } from '../exec/run.js'
import { GuestError } from '../guest-error.js'
import { now } from './host-time.js'
import { TOLERANCE, TRIES } from './tolerance.js'

/** Milliseconds of silence until the agent is taken for none. */
const AGENT_TIMEOUT = 5000

/** What bytes that are written there change comes into effect later, at most a minute. */
const SEED = 'cat >/dev/urandom; ls -d /sys/bus/*/drivers/vmgenid'

/** Busybox knows whole seconds alone: it waits for the next one. */
const SET_CLOCK = 'date -u -s "@$1" || { sleep "$2" && date -u -s "@$3"; }'

interface AgentWakeOptions {
  isHostClock: boolean
  seed: Buffer
  signal: AbortSignal | undefined
}

/**
 * Sets the clock and seeds the random numbers of a running guest that has no waker, by programs that
 * its agent starts.
 *
 * @returns what could not be done, for people; undefined if all was
 * @throws GuestError `GUEST_GONE`; `ABORTED`
 */
export async function wakeByAgent(
  { agent: channel, exited }: MachineProcess,
  { isHostClock, seed, signal }: AgentWakeOptions,
): Promise<string | undefined> {
  const agent = new AgentClient(channel)
  const gone = () => new GuestError('GUEST_GONE', 'the machine ended while it was woken')
  void exited.then(() => agent.close(gone))
  try {
    await agent.synchronize({ timeout: AGENT_TIMEOUT, ...(signal && { signal }) })
    const clock = isHostClock ? await setClock(agent) : undefined
    const seeded = await runShell(agent, SEED, [], seed)
    const random = seeded
      ? undefined
      : 'random: its kernel has no vmgenid driver, and neither Perl nor Python is there to reseed it'
    return [clock, random].filter((fault) => fault !== undefined).join('; ') || undefined
  } catch (error) {
    const isFault = error instanceof GuestError && error.code !== 'GUEST_GONE'
    if (signal?.aborted || !isFault) throw error
    return `${error.shortMessage}`
  } finally {
    agent.close(() => new GuestError('GUEST_RELEASED', 'the guest was woken'))
  }
}

/** Each try begins ahead by what the one before was late. */
async function setClock(agent: AgentClient): Promise<string | undefined> {
  let ahead = 0
  let behind = 0
  for (let tries = 0; tries < TRIES; tries++) {
    const time = (now() + ahead) / 1000
    const next = Math.floor(time) + 1
    const values = [time.toFixed(3), (next - time).toFixed(3), String(next)]
    if (!(await runShell(agent, SET_CLOCK, values))) return 'clock: its date command cannot set it'
    behind = now() - (await agent.execute('guest-get-time', {})) / 1e6
    if (Math.abs(behind) <= TOLERANCE) return undefined
    ahead += behind
  }
  return `clock: it is off by ${Math.round(behind)} ms`
}

async function runShell(
  agent: AgentClient,
  script: string,
  values: readonly string[],
  input?: Buffer,
): Promise<boolean> {
  const { exitcode } = await runProgram(agent, {
    path: '/bin/sh',
    arg: ['-c', script, 'sh', ...values],
    input,
  })
  return exitcode === 0
}
