import { blockNode } from '../../qemu/machine/block-node.js'
import { cdromDevice } from '../../qemu/machine/drive-arguments.js'
import { isPlugged } from '../../qemu/machine/hot-plug-names.js'
import type { Monitor } from './block-devices.js'

interface Drive {
  qdev?: string
  inserted?: { 'node-name': string }
}

/**
 * What a running machine has otherwise than its definition says, in words: device state loads only into the
 * devices that the definition gives.
 */
export async function findChanges(monitor: Pick<Monitor, 'execute'>): Promise<string[]> {
  const [devices, drives] = await Promise.all([
    monitor.execute('qom-list', { path: '/machine/peripheral' }) as Promise<{ name: string }[]>,
    monitor.execute('query-block') as Promise<Drive[]>,
  ])
  const plugged = devices.filter(({ name }) => isPlugged(name))
  const changed = drives.flatMap(({ qdev = '', inserted }) => {
    const cdrom = qdev.startsWith(CDROM) ? qdev.slice(CDROM.length) : undefined
    if (cdrom === undefined || inserted?.['node-name'] === blockNode({ name: cdrom })) return []
    return [`the CD-ROM ${cdrom} has not the disc that its machine is defined with`]
  })
  return [
    ...plugged.map(({ name }) => `the device ${name} was attached, and not detached`),
    ...changed,
  ]
}

const CDROM = cdromDevice('')
