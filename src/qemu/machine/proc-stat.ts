import { readFileSync } from 'node:fs'
import { parseStat } from '../../store/owner/process-status.js'

/**
 * When a process started, in the kernel's ticks since boot: with the pid, its identity. A process
 * that has ended is gone even while its parent has not reaped it.
 *
 * @returns nothing if there is no such process, or it is a zombie
 */
export function processStartTime(pid: number): string | undefined {
  try {
    const { state, startTime } = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    return state === 'Z' || state === 'X' ? undefined : startTime
  } catch {
    return undefined
  }
}
