import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseFields } from '../files/parse-json.js'
import { unlessMissing } from '../files/storage-error.js'
import { writeAtomically } from '../files/write-atomically.js'
import { isHere, type PidScope, whoAmI } from '../owner/host.js'
import { processStatus, startTimeOf } from '../owner/process-status.js'

/** The directory, in that of a run, of one file per process. */
export const PROCESSES = 'processes'

interface ProcessRecord extends PidScope {
  pid: number
  startTime: string
}

function parseRecord(text: string): ProcessRecord | undefined {
  const { pid, startTime, boot, pidNamespace } = parseFields(text)
  if (typeof pid !== 'number' || typeof startTime !== 'string' || typeof boot !== 'string') {
    return undefined
  }
  return typeof pidNamespace === 'string'
    ? { pid, startTime, boot, pidNamespace }
    : { pid, startTime, boot }
}

/** Records a process of a run; does nothing if it has ended already. */
export async function addProcess(run: string, pid: number): Promise<void> {
  const startTime = await startTimeOf(pid)
  if (startTime === undefined) return
  const record: ProcessRecord = { pid, startTime, ...whoAmI().scope }
  await writeAtomically(join(run, PROCESSES, String(pid)), JSON.stringify(record), {
    replace: true,
    durable: false,
  })
}

/** Forgets a process that has ended. */
export async function removeProcess(run: string, pid: number): Promise<void> {
  await rm(join(run, PROCESSES, String(pid)), { force: true })
}

/**
 * Kills the processes of a run, and nothing else: not a later process that got the same pid, nor
 * one whose pid counts in another PID namespace.
 *
 * @returns the pids that were killed
 */
export async function killProcesses(run: string): Promise<number[]> {
  const directory = join(run, PROCESSES)
  const names = (await unlessMissing(readdir(directory))) ?? []
  const killed = names
    .filter((name) => !name.startsWith('.'))
    .map(async (name) => {
      const text = await unlessMissing(readFile(join(directory, name), 'utf8'))
      const record = text === undefined ? undefined : parseRecord(text)
      if (record === undefined || !isHere(record)) return []
      const identity = { pid: record.pid, thread: record.pid, startTime: record.startTime }
      if ((await processStatus(identity)) !== 'running') return []
      return kill(record.pid) ? [record.pid] : []
    })
  return (await Promise.all(killed)).flat()
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    // it ended between the look and the kill
    return false
  }
}
