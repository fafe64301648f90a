import { readFileSync } from 'node:fs'

/**
 * When a process started, in the kernel's ticks since boot: with the pid, its identity. A process
 * that has ended is gone even while its parent has not reaped it.
 *
 * @returns nothing if there is no such process, or it is a zombie
 */
export function processStartTime(pid: number): number | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The second field, the program's name, may hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state] = fields
  return state === 'Z' || state === 'X' ? undefined : Number(fields[19])
}
