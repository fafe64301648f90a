import { randomUUID } from 'node:crypto'
import { VmStatesError } from '../../params/errors.js'
import { type Patience, withDeadline } from '../deadline.js'
import type { QmpEvent } from './message.js'
import type { QmpArguments, WaitForEventOptions } from './options.js'

/** Milliseconds that a job may take unless told: gigabytes of guest RAM on a slow disk. */
const JOB_TIMEOUT = 300_000

/** What a job needs of a connection. */
interface Connection {
  execute(command: string, args?: QmpArguments, patience?: Patience): Promise<unknown>
  waitForEvent(name: string, options: WaitForEventOptions): Promise<QmpEvent>
}

interface JobInfo {
  id: string
  error?: string
}

/**
 * Runs a job to its end: awaits `concluded`, asks for its error, and dismisses it. A job that
 * failed is `concluded` like one that succeeded; only its `error` tells them apart.
 */
export async function runJob(
  client: Connection,
  command: string,
  args: QmpArguments,
  patience: Patience,
): Promise<void> {
  const id = `${command}-${randomUUID()}`
  const lost = new AbortController()
  const concluded = client.waitForEvent('JOB_STATUS_CHANGE', {
    match: ({ data }) => data.id === id && data.status === 'concluded',
    signal: lost.signal,
  })
  const finished = concluded.then(async () => {
    const [jobs] = await Promise.all([
      client.execute('query-jobs'),
      client.execute('job-dismiss', { id }),
    ])
    const error = (jobs as JobInfo[]).find((job) => job.id === id)?.error
    if (error !== undefined) {
      throw new VmStatesError('QMP_COMMAND_FAILED', `${command}: ${error.trim()}`)
    }
  })
  finished.catch(() => {})
  try {
    await client.execute(command, { ...args, 'job-id': id }, { timeout: JOB_TIMEOUT, ...patience })
  } catch (error) {
    if (error instanceof VmStatesError && error.code === 'QMP_COMMAND_FAILED') lost.abort()
    throw error
  }
  await withDeadline(finished, `the job ${command}`, { timeout: JOB_TIMEOUT, ...patience })
}
