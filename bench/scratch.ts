import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { killChildren } from './live/children.js'

/** Works in a directory of its own, which is deleted afterwards, also where a signal ends the work. */
export async function inScratch<Result>(
  work: (directory: string) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'vm-states-bench-'))
  const interrupt = (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => {
    killChildren()
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    process.exit(128 + constants.signals[signal])
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupt)
  try {
    return await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
