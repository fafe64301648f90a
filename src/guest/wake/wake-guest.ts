import { randomBytes } from 'node:crypto'
import { isVmStatesError } from '../../params/errors.js'
import { withDeadline } from '../../qemu/deadline.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import type { GuestLink } from '../channel/open-channel.js'
import { hasWaker } from './has-waker.js'
import { TRIES, toleranceAt } from './tolerance.js'
import { wakeByPrograms } from './wake-by-programs.js'
import { WakerLink, type WakerReport } from './waker-link.js'

const SEED_BYTES = 48
/** Milliseconds of silence until it is looked whether there is a waker at all. */
const LOOK_AFTER = 250
/** Milliseconds that the waker gets for an answer. */
const WAKER_TIMEOUT = 5000

export interface WakeOptions {
  /** The way to the guest, if not through the agent. */
  link: GuestLink | undefined
  /** Whether the guest's clock becomes the host's, or goes on from where it was. */
  clock: 'host' | 'frozen'
  signal?: AbortSignal | undefined
}

/** How a guest was woken. */
export interface Waking {
  by: 'waker' | 'programs'
  /** What could not be done, for people. */
  fault: string | undefined
}

/**
 * Lets a restored machine run, and makes its guest right: its clock the host's, and the random numbers
 * of its kernel others than those of its clones. The guest's waker does it, or else programs that its agent or sshd starts.
 *
 * @param process - a machine in a live state, with its CPUs stopped
 * @throws VmStatesError `GUEST_GONE`, `QMP_COMMAND_FAILED`, `QMP_CONNECTION_LOST`, `ABORTED`
 */
export async function wakeGuest(
  process: MachineProcess,
  { link, clock, signal }: WakeOptions,
): Promise<Waking> {
  using waker = new WakerLink(process.wake)
  const isHostClock = clock === 'host'
  const seed = randomBytes(SEED_BYTES)
  // Said before the CPUs run, so that the waker finds it as soon as they do. The clock follows once the
  // guest is warm: a change wakes whoever in it waits for a time, and they would be in the way.
  const first = waker.order({ seed })
  first.catch(() => {}) // of a machine that does not even go on
  await process.qmp.execute('cont')
  const report = await firstReport(process, first, signal)
  if (report === undefined) {
    return {
      by: 'programs',
      fault: await wakeByPrograms(process, { link, isHostClock, seed, signal }),
    }
  }
  const off = isHostClock ? await correct(waker, report, signal) : ''
  const faults = [report.faults, off].filter((fault) => fault !== '')
  return { by: 'waker', fault: faults.join('; ') || undefined }
}

/** @returns undefined if there is no waker, or one that says nothing */
async function firstReport(
  process: MachineProcess,
  report: Promise<WakerReport>,
  signal: AbortSignal | undefined,
): Promise<WakerReport | undefined> {
  const early = await inTime(report, LOOK_AFTER, signal)
  if (early !== undefined || !(await hasWaker(process))) return early
  return await inTime(report, WAKER_TIMEOUT, signal)
}

/**
 * A guest that goes on needs most of the time until it obeys, and little until its answer is here: its
 * clock is behind by nearly all of it. Once it is warm, the truth is as likely anywhere in between.
 */
async function correct(
  waker: WakerLink,
  first: WakerReport,
  signal: AbortSignal | undefined,
): Promise<string> {
  let { behind } = first
  let faults = ''
  for (let tries = 1; faults === ''; tries++) {
    const [least, most] = behind
    const tolerance = toleranceAt(tries)
    if (Math.max(-least, most) <= tolerance) break
    if (tries === TRIES) return `clock: it may be off by ${Math.round(Math.max(-least, most))} ms`
    const shift = tries === 1 ? most : (least + most) / 2
    const next = await inTime(waker.order({ shift }), WAKER_TIMEOUT, signal)
    if (next === undefined) return 'clock: the waker stopped answering'
    ;({ behind, faults } = next)
    // However long that answer took: the clock can be off by what was not known before, at most.
    if (Math.max(shift - least, most - shift) <= tolerance) break
  }
  return faults
}

async function inTime(
  report: Promise<WakerReport>,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<WakerReport | undefined> {
  return await withDeadline(report, 'waking the guest', { timeout, signal }).catch((error) => {
    if (isVmStatesError(error, 'TIMEOUT')) return undefined
    throw error
  })
}
