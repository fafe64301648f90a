import { wallClock } from '../../params/clocks.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { type Channel, runProgram } from '../channel/channel.js'
import { type GuestLink, openChannel, silenceOf } from '../channel/open-channel.js'
import { GuestError } from '../guest-error.js'
import { TOLERANCE, TRIES, toleranceAt } from './tolerance.js'

/** What bytes that are written there change comes into effect later, at most a minute. */
const SEED = 'cat >/dev/urandom; ls -d /sys/bus/*/drivers/vmgenid'

/** Busybox knows whole seconds alone: it waits for the next one. */
const SET_CLOCK = 'date -u -s "@$1" || { sleep "$2" && date -u -s "@$3"; }'

interface ProgramWakeOptions {
  /** The way to the guest, if not through the agent. */
  link: GuestLink | undefined
  isHostClock: boolean
  seed: Buffer
  signal: AbortSignal | undefined
}

/**
 * Sets the clock and seeds the random numbers of a running guest that has no waker, by programs that
 * its agent or sshd starts.
 *
 * @returns what could not be done, for people; undefined if all was
 * @throws GuestError `GUEST_GONE`; `ABORTED`
 */
export async function wakeByPrograms(
  process: MachineProcess,
  { link, isHostClock, seed, signal }: ProgramWakeOptions,
): Promise<string | undefined> {
  const channel = openChannel(process, link)
  const gone = () => new GuestError('GUEST_GONE', 'the machine ended while it was woken')
  void process.exited.then(() => channel.close(gone))
  try {
    const timeout = silenceOf(link)
    await channel.connect({ timeout, ...(signal && { signal }) })
    const clock = isHostClock ? await setClock(channel) : undefined
    const seeded = await runShell(channel, SEED, [], seed)
    const random = seeded
      ? undefined
      : 'random: its kernel has no vmgenid driver, and neither Perl nor Python could reseed it, which takes root'
    return [clock, random].filter((fault) => fault !== undefined).join('; ') || undefined
  } catch (error) {
    const isFault = error instanceof GuestError && error.code !== 'GUEST_GONE'
    if (signal?.aborted || !isFault) throw error
    return `${error.shortMessage}`
  } finally {
    channel.close(() => new GuestError('GUEST_RELEASED', 'the guest was woken'))
  }
}

/** Each try begins ahead by what the one before was late. */
async function setClock(channel: Channel): Promise<string | undefined> {
  let ahead = 0
  let behind = 0
  for (let tries = 0; tries < TRIES; tries++) {
    const time = (wallClock() + ahead) / 1000
    const next = Math.floor(time) + 1
    const values = [time.toFixed(3), (next - time).toFixed(3), String(next)]
    if (!(await runShell(channel, SET_CLOCK, values)))
      return 'clock: its date command cannot set it'
    behind = await readBehind(channel)
    const tolerance = channel.agent === undefined ? toleranceAt(tries + 1) : TOLERANCE
    if (Math.abs(behind) <= tolerance) return undefined
    ahead += behind
  }
  return `clock: it is off by ${Math.round(behind)} ms`
}

/**
 * Milliseconds that the guest's clock is behind. A command takes its time to start and to end, half of it each;
 * where it tells whole seconds alone, the clock is taken to be what it was set to.
 */
async function readBehind(channel: Channel): Promise<number> {
  if (channel.agent !== undefined) {
    return wallClock() - (await channel.agent.execute('guest-get-time', {})) / 1e6
  }
  const before = wallClock()
  const { stdout } = await runProgram(channel, { path: 'date', arg: ['-u', '+%s.%N'] })
  const time = Number(stdout.toString()) * 1000
  return Number.isInteger(time / 1000) || Number.isNaN(time) ? 0 : (before + wallClock()) / 2 - time
}

async function runShell(
  channel: Channel,
  script: string,
  values: readonly string[],
  input?: Buffer,
): Promise<boolean> {
  const { exitCode } = await runProgram(channel, {
    path: '/bin/sh',
    arg: ['-c', script, 'sh', ...values],
    input,
  })
  return exitCode === 0
}
