import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { parseFields } from '../files/parse-json.js'
import { systemCode } from '../files/storage-error.js'

/** How much may be held at once; nothing said is no limit. */
export interface Limits {
  units?: number | undefined
  machines?: number | undefined
}

/** The record of an entry, which never changes. */
export interface EntryRecord {
  id: string
  /** In what the limit is counted in: for machines, bytes of memory. */
  units: number
  machines: number
  /** What it is for, for people: `debian/nginx`. */
  label: string
  pid: number
  /** The program, for people. */
  program: string
  /** The presence of the process that it ends with. */
  presence: string
  /** By which its own turn is judged. */
  limits: Limits
  /** Ids of entries that are not released before this one was admitted. */
  holding: readonly string[]
}

/** What somebody holds, or waits for. */
export interface LedgerEntry extends EntryRecord {
  state: 'waiting' | 'held'
  /** Its place in line: whoever comes later has a higher one. */
  ticket: number
}

const NAME = /^(?<state>waiting|held)~(?<ticket>\d+)~(?<id>[0-9a-f]+)$/

/** The path of an entry: a symbolic link whose target is the record, made with all of its content. */
export function entryPath(
  directory: string,
  { state, ticket, id }: Pick<LedgerEntry, 'state' | 'ticket' | 'id'>,
): string {
  return join(directory, `${state}~${ticket}~${id}`)
}

/**
 * Reads all entries, synchronously: there are few, and it is done in the midst of a lock.
 *
 * @param known - records that were read before, by id; those of gone entries are forgotten
 */
export function readEntries(directory: string, known: Map<string, EntryRecord>): LedgerEntry[] {
  const entries: LedgerEntry[] = []
  for (const name of readdirSync(directory)) {
    const { state, ticket, id } = NAME.exec(name)?.groups ?? {}
    if (id === undefined) continue
    const record = known.get(id) ?? readRecord(join(directory, name), id)
    if (record === undefined) continue
    entries.push({ ...record, state: state as LedgerEntry['state'], ticket: Number(ticket) })
  }
  known.clear()
  for (const entry of entries) known.set(entry.id, entry)
  return entries
}

function readRecord(path: string, id: string): EntryRecord | undefined {
  let text: string
  try {
    text = readlinkSync(path)
  } catch (error) {
    // released meanwhile
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  const { units, machines, label, pid, program, presence, limits, holding } = parseFields(text)
  if (typeof units !== 'number' || typeof machines !== 'number') return undefined
  if (typeof presence !== 'string') return undefined
  return {
    ...{ id, units, machines, presence },
    label: String(label),
    pid: Number(pid),
    program: String(program),
    limits: (limits ?? {}) as Limits,
    holding: Array.isArray(holding) ? holding.map(String) : [],
  }
}
