import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseFields } from '../files/parse-json.js'
import { unlessMissing } from '../files/storage-error.js'
import type { Census } from '../lock/census.js'

/** `process`: ends with the process that began it. `detached`: ends when it is asked to. */
export type RunLifetime = 'process' | 'detached'

/** What is written about a run. */
export interface RunRecord {
  id: string
  lifetime: RunLifetime
  /** What the run is for, for people. */
  label: string
  /** ISO 8601. */
  startedAt: string
  /** The presence of the process that began it. */
  presence: string
}

/** The name of the record in the run's directory. */
export const RUN_FILE = 'run.json'

function parseRun(text: string): RunRecord | undefined {
  const { id, lifetime, label, startedAt, presence } = parseFields(text)
  if (lifetime !== 'process' && lifetime !== 'detached') return undefined
  if (typeof id !== 'string' || typeof label !== 'string') return undefined
  if (typeof startedAt !== 'string' || typeof presence !== 'string') return undefined
  return { id, lifetime, label, startedAt, presence }
}

/** Reads the record of a run; undefined if there is no such run. */
export async function readRun(directory: string): Promise<RunRecord | undefined> {
  const text = await unlessMissing(readFile(join(directory, RUN_FILE), 'utf8'))
  return text === undefined ? undefined : parseRun(text)
}

/** Whether a run is over: ended, or left behind by a process that is gone. */
export async function isRunGone(directory: string, census: Census): Promise<boolean> {
  const record = await readRun(directory)
  if (record === undefined) return true
  return record.lifetime === 'process' && census.isGone(record.presence)
}
