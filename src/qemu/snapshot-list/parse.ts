import { VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'
import { rowPattern } from './row-pattern.js'
import { parseSnapshotSize } from './size.js'
import type { Snapshot } from './snapshot.js'

const HEADING = 'Snapshot list:'

function unreadable(problem: string): VmStatesError {
  return new VmStatesError('SNAPSHOT_LIST_UNREADABLE', `cannot read the snapshot list: ${problem}`)
}

function toSnapshot(groups: Record<string, string | undefined>): Snapshot {
  const { id = '', tag = '', size = '', date, hours, minutes, seconds, icount } = groups
  return {
    id,
    tag,
    vmStateSize: parseSnapshotSize(size),
    date: new Date(`${date?.replace(' ', 'T')}Z`),
    vmClock: Math.round((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000),
    ...(icount === undefined ? {} : { icount: Number(icount) }),
  }
}

/**
 * Reads what `qemu-img snapshot -l` printed, in the layout of any QEMU from 2.x to 10.x.
 *
 * A tag may hold a line break, and so forge rows. Each snapshot prints at least one row, so when
 * there are as many as the image's header counts, none is forged.
 *
 * @param text - the whole output, printed with `TZ=UTC`; empty where there is no snapshot
 * @param count - the number of snapshots in the image's header (`nb_snapshots`)
 * @throws VmStatesError `SNAPSHOT_LIST_UNREADABLE` if the layout is unknown, or the rows are not as
 *   many as the header says
 */
export function parseSnapshotList(text: string, count: number): Snapshot[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  if (lines[0] === HEADING) lines.shift()
  const titles = lines.shift()
  const snapshots: Snapshot[] = []
  if (titles !== undefined) {
    const pattern = rowPattern(titles)
    if (pattern === undefined) throw unreadable(`unknown columns ${showValue(titles)}`)
    let row: string | undefined
    for (const line of lines) {
      row = row === undefined ? line : `${row}\n${line}`
      const groups = pattern.exec(row)?.groups
      if (groups === undefined) continue
      snapshots.push(toSnapshot(groups))
      row = undefined
    }
    if (row !== undefined) throw unreadable(`${showValue(row)} is not a row`)
  }
  if (snapshots.length !== count) {
    throw unreadable(`it has ${snapshots.length} rows, but the image's header counts ${count}`)
  }
  return snapshots
}
