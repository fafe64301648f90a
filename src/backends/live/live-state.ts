/** A row of a snapshot table, by whatever means it was read. */
export interface SnapshotRow {
  id: string
  tag: string
  /** Bytes of RAM and device state. */
  vmStateSize: number
  date: Date
}

/** A tag that every disk has, and with RAM on one of them. */
export interface LiveState {
  /** The name that users see. */
  name: string
  /** The tag of its snapshots now. */
  tag: string
  /** Which of the disks holds RAM and devices. */
  vmstateIndex: number
  vmStateSize: number
  date: Date
}

const PENDING = 'vm-states-pending:'

/** The tag under which the new content of a state is kept while the old one is replaced. */
export function pendingTag(name: string): string {
  return `${PENDING}${name}`
}

function find(tables: readonly SnapshotRow[][], name: string, tag: string): LiveState | undefined {
  const rows = tables.flatMap((rows) => rows.find((row) => row.tag === tag) ?? [])
  const vmstateIndex = rows.findIndex(({ vmStateSize }) => vmStateSize > 0)
  const row = rows[vmstateIndex]
  if (rows.length < tables.length || row === undefined) return undefined
  return { name, tag, vmstateIndex, vmStateSize: row.vmStateSize, date: row.date }
}

/**
 * The live state of a name. Where a replacement was broken off after the old one was deleted, the
 * pending snapshot is the state.
 *
 * @param tables - the snapshots of each disk
 */
export function findLiveState(
  tables: readonly SnapshotRow[][],
  name: string,
): LiveState | undefined {
  return find(tables, name, name) ?? find(tables, name, pendingTag(name))
}

/** Every live state, oldest first. */
export function findLiveStates(tables: readonly SnapshotRow[][]): LiveState[] {
  const tags = tables[0]?.map(({ tag }) => tag) ?? []
  const names = tags.map((tag) => (tag.startsWith(PENDING) ? tag.slice(PENDING.length) : tag))
  return [...new Set(names)].flatMap((name) => findLiveState(tables, name) ?? [])
}
