import type { Monitor } from './block-devices.js'

/** An internal snapshot with RAM, over several disks of a running machine. */
export interface LiveSnapshot {
  tag: string
  /** The block nodes of the disks. */
  nodes: readonly string[]
  /** The one of them that holds RAM and devices. */
  vmstate: string
}

/** Saves a snapshot. A running guest is stopped for it and goes on by itself. */
export async function saveSnapshot(monitor: Monitor, snapshot: LiveSnapshot): Promise<void> {
  const { tag, nodes: devices, vmstate } = snapshot
  await monitor.runJob('snapshot-save', { tag, devices, vmstate })
}

/**
 * Takes the machine to a snapshot. QEMU stops a running guest and lets it go on by itself; a
 * paused one stays paused.
 */
export async function loadSnapshot(monitor: Monitor, snapshot: LiveSnapshot): Promise<void> {
  const { tag, nodes: devices, vmstate } = snapshot
  await monitor.runJob('snapshot-load', { tag, devices, vmstate })
}

/** Deletes a snapshot from the nodes. */
export async function deleteSnapshot(
  monitor: Monitor,
  { tag, nodes: devices }: Pick<LiveSnapshot, 'tag' | 'nodes'>,
): Promise<void> {
  await monitor.runJob('snapshot-delete', { tag, devices })
}
