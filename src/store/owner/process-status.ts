import { readdir, readFile } from 'node:fs/promises'
import { systemCode, unlessMissing } from '../files/storage-error.js'

/** A process, or a thread of it, told apart from a later one with the same number. */
export interface ProcessIdentity {
  pid: number
  /** The thread; the same as `pid` for the main thread. */
  thread: number
  /** Clock ticks from the host's boot to the start of the thread. */
  startTime: string
}

interface Stat {
  state: string
  /** The pid of the parent. */
  parent: number
  startTime: string
}

/** Reads `/proc/PID/stat`; the name in it may hold spaces and brackets. See proc(5). */
export function parseStat(text: string): Stat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', parent: Number(fields[1]), startTime: fields[19] ?? '' }
}

async function readStat(pid: number, thread: number): Promise<Stat | undefined> {
  try {
    return parseStat(await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8'))
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}

function mayBeHidden(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}

function isEnded({ state }: Stat): boolean {
  return state === 'Z' || state === 'X'
}

// The main thread of a killed process is a zombie already while others finish their system calls.
async function isDying(pid: number): Promise<boolean> {
  const main = await readStat(pid, pid)
  if (main === undefined || !isEnded(main)) return false
  return ((await unlessMissing(readdir(`/proc/${pid}/task`))) ?? []).length > 1
}

/** The start time of a process that runs now; undefined if there is none, or only a zombie. */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await readStat(pid, pid)
  return stat === undefined || isEnded(stat) ? undefined : stat.startTime
}

/**
 * Whether a process of this PID namespace and boot still runs, and may still change files. A zombie
 * does not: it stays where PID 1 does not reap.
 *
 * @returns `unknown` for another user's process that `/proc` hides (`hidepid`)
 */
export async function processStatus({
  pid,
  thread,
  startTime,
}: ProcessIdentity): Promise<'running' | 'ended' | 'unknown'> {
  const stat = await readStat(pid, thread)
  if (stat === undefined && mayBeHidden(pid)) return 'unknown'
  if (stat?.startTime === startTime && !isEnded(stat)) return 'running'
  return (await isDying(pid)) ? 'running' : 'ended'
}
