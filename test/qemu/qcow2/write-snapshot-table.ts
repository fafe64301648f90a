import { open } from 'node:fs/promises'
import type { TableRow } from '../snapshot-list/print.js'

const align = (length: number, to: number): number => Math.ceil(length / to) * to

function tableRow(row: TableRow, l1Offset: bigint, l1Size: number): Buffer {
  const id = Buffer.from(row.id)
  const name = Buffer.from(row.tag)
  const fixed = Buffer.alloc(40 + 24)
  fixed.writeBigUInt64BE(l1Offset, 0)
  fixed.writeUInt32BE(l1Size, 8)
  fixed.writeUInt16BE(id.length, 12)
  fixed.writeUInt16BE(name.length, 14)
  fixed.writeUInt32BE(row.date, 16)
  fixed.writeBigUInt64BE(BigInt(row.vmClock) * 1_000_000n, 24)
  fixed.writeUInt32BE(Number(BigInt(row.vmStateSize) & 0xffff_ffffn), 32)
  fixed.writeUInt32BE(24, 36)
  fixed.writeBigUInt64BE(BigInt(row.vmStateSize), 40)
  fixed.writeBigUInt64BE(1024n * 1024n, 48)
  fixed.writeBigUInt64BE(BigInt.asUintN(64, BigInt(row.icount ?? -1)), 56)
  const bytes = Buffer.concat([fixed, id, name])
  return Buffer.concat([bytes, Buffer.alloc(align(bytes.length, 8) - bytes.length)])
}

/**
 * Writes a snapshot table into a qcow2 image, at its end, as if snapshots of any size and age had
 * been taken. Good for listings; the space is not accounted for.
 */
export async function writeSnapshotTable(file: string, rows: readonly TableRow[]): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    const header = Buffer.alloc(104)
    await handle.read(header, 0, header.length, 0)
    const end = align((await handle.stat()).size, 2 ** header.readUInt32BE(20))
    const l1 = [header.readBigUInt64BE(40), header.readUInt32BE(36)] as const
    await handle.write(Buffer.concat(rows.map((row) => tableRow(row, ...l1))), 0, undefined, end)
    header.writeUInt32BE(rows.length, 60)
    header.writeBigUInt64BE(BigInt(end), 64)
    await handle.write(header, 0, header.length, 0)
  } finally {
    await handle.close()
  }
}
