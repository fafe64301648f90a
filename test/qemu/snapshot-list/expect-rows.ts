import { expect } from 'vitest'
import type { Snapshot } from '../../../src/qemu/snapshot-list/snapshot.js'
import type { TableRow } from './print.js'

/** That a listing was read as exactly what is in the table, as far as its digits go. */
export function expectRows(snapshots: readonly Snapshot[], rows: readonly TableRow[]): void {
  expect(
    snapshots.map(({ vmStateSize: _, date, ...snapshot }) => ({
      ...snapshot,
      date: date.getTime() / 1000,
    })),
  ).toEqual(rows.map(({ vmStateSize: _, ...row }) => ({ ...row, tag: row.tag.replace(/ +$/, '') })))
  for (const [index, { vmStateSize }] of rows.entries()) {
    const read = snapshots[index]?.vmStateSize ?? Number.NaN
    expect(Math.abs(read - vmStateSize)).toBeLessThanOrEqual(vmStateSize * 0.006)
  }
}
