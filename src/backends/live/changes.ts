import { blockNode } from '../../qemu/machine/block-node.js'
import { cdromDevice } from '../../qemu/machine/drive-arguments.js'
import { isPlugged } from '../../qemu/machine/hot-plug-names.js'
import type { Monitor } from './block-devices.js'

interface QomProperty {
  name: string
  type: string
}

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
    devicesOf(monitor),
    monitor.execute('query-block') as Promise<Drive[]>,
  ])
  const before = firstSeen.get(monitor) ?? devices
  firstSeen.set(monitor, before)
  const added = devices.filter((name) => isPlugged(name) || !before.includes(name))
  const removed = before.filter((name) => !isPlugged(name) && !devices.includes(name))
  const changed = drives.flatMap(({ qdev = '', inserted }) => {
    const cdrom = qdev.startsWith(CDROM) ? qdev.slice(CDROM.length) : undefined
    if (cdrom === undefined || inserted?.['node-name'] === blockNode({ name: cdrom })) return []
    return [`the CD-ROM ${cdrom} has not the disc that its machine is defined with`]
  })
  return [
    ...added.map((name) => `the device ${name} was attached, and not detached`),
    ...removed.map((name) => `the device ${name} was taken out`),
    ...changed,
  ]
}

const CDROM = cdromDevice('')

/** The devices that a machine had when it was first asked, which is before its setup. */
const firstSeen = new WeakMap<Pick<Monitor, 'execute'>, readonly string[]>()

/** Names of devices, also of those that have none: `device[0]`. */
async function devicesOf(monitor: Pick<Monitor, 'execute'>): Promise<string[]> {
  const paths = ['/machine/peripheral', '/machine/peripheral-anon']
  const lists = await Promise.all(
    paths.map((path) => monitor.execute('qom-list', { path }) as Promise<QomProperty[]>),
  )
  return lists
    .flat()
    .filter(({ type }) => type.startsWith('child<'))
    .map(({ name }) => name)
}
