import type { SnapshotInfo } from '../../qemu/qemu-img/info.js'

/** The part of a monitor connection that this backend needs. */
export interface Monitor {
  runJob(command: string, args: Record<string, unknown>): Promise<void>
  execute(command: string, args?: Record<string, unknown>): Promise<unknown>
}

/** A medium in a machine: what is read and written by one of its drives. */
export interface BlockDevice {
  /** The block node at the top of its chain. */
  node: string
  /** As QEMU was given it. */
  file: string
  /** The block driver, such as `qcow2` or `raw`. */
  driver: string
  readOnly: boolean
  snapshots: readonly SnapshotInfo[]
}

interface QueryBlockEntry {
  inserted?: {
    'node-name': string
    file: string
    drv: string
    ro: boolean
    image: { snapshots?: SnapshotInfo[] }
  }
}

/** The media in a machine's drives, as `query-block` lists them; empty drives are left out. */
export async function queryBlockDevices(monitor: Pick<Monitor, 'execute'>): Promise<BlockDevice[]> {
  const entries = (await monitor.execute('query-block')) as QueryBlockEntry[]
  return entries.flatMap(({ inserted }) =>
    inserted === undefined
      ? []
      : [
          {
            node: inserted['node-name'],
            file: inserted.file,
            driver: inserted.drv,
            readOnly: inserted.ro,
            snapshots: inserted.image.snapshots ?? [],
          },
        ],
  )
}
