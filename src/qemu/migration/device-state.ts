import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { VmStatesError } from '../../params/errors.js'
import type { QmpClient } from '../qmp/client.js'
import { migrationUri } from './migration-uri.js'

/** Milliseconds: device state alone takes 10, and RAM that is not in a file comes with it. */
const TIMEOUT = 300_000

/** Bytes per second. */
const UNLIMITED = 2 ** 50

/** Milliseconds between two looks whether a file is there, and until it should be: QEMU has written it. */
const LOOK_EVERY = 2
const LOOK_FOR = 10_000

/** Bytes: a write fails for want of space before there is none at all. */
const LEAST_ROOM = 2 ** 20

/** How much of a machine a file holds. */
export interface SavedParts {
  /** Whether RAM that is mapped from a shared file is left out, since that file is kept. */
  withoutSharedRam: boolean
}

/**
 * Writes the state of a stopped machine's devices, and RAM that is not left out, to a file. See
 * QEMU's docs/devel/migration.
 *
 * @param file - absolute path; complete when this returns
 * @throws VmStatesError `QMP_COMMAND_FAILED` with QEMU's reason, `DISK_FULL`, `QMP_CONNECTION_LOST`,
 *   `TIMEOUT`
 */
export async function saveDeviceState(
  qmp: QmpClient,
  file: string,
  parts: SavedParts,
): Promise<void> {
  await setCapabilities(qmp, parts)
  // By default QEMU spares a network that is not there.
  await qmp.execute('migrate-set-parameters', { 'max-bandwidth': UNLIMITED })
  const uri = migrationUri(await qmp.version, file, 'save')
  const status = await migrate(qmp, 'migrate', uri)
  if (status !== 'completed') {
    const { 'error-desc': reason = status } = (await qmp.execute('query-migrate')) as {
      'error-desc'?: string
    }
    await requireRoom(file)
    throw new VmStatesError('QMP_COMMAND_FAILED', `migrate to ${file}: ${reason}`)
  }
  await untilThere(file)
}

/**
 * Takes a machine that was launched to wait for device state into the state of a file, with its CPUs
 * stopped.
 *
 * @param file - absolute path
 * @throws VmStatesError `QMP_COMMAND_FAILED`; `QMP_CONNECTION_LOST` where QEMU ended, and said why in
 *   its log
 */
export async function loadDeviceState(
  qmp: QmpClient,
  file: string,
  parts: SavedParts,
): Promise<void> {
  const [, status] = await Promise.all([
    setCapabilities(qmp, parts),
    migrate(qmp, 'migrate-incoming', migrationUri(await qmp.version, file, 'load')),
  ])
  if (status === 'completed') return
  throw new VmStatesError('QMP_COMMAND_FAILED', `migrate-incoming of ${file}: ${status}`)
}

/** Has snapshots leave out RAM that is mapped from a shared file. */
export async function leaveOutSharedRam(qmp: QmpClient): Promise<void> {
  await setCapabilities(qmp, { withoutSharedRam: true })
}

/** Has snapshots hold all RAM: a machine that was loaded without shared RAM would leave that out. */
export async function includeSharedRam(qmp: QmpClient): Promise<void> {
  await setCapabilities(qmp, { withoutSharedRam: false })
}

async function setCapabilities(qmp: QmpClient, { withoutSharedRam }: SavedParts): Promise<void> {
  const states = { events: true, 'x-ignore-shared': withoutSharedRam }
  const capabilities = Object.entries(states).map(([capability, state]) => ({ capability, state }))
  await qmp.execute('migrate-set-capabilities', { capabilities })
}

/** @returns how it ended: `completed`, `failed` or `cancelled` */
async function migrate(qmp: QmpClient, command: string, uri: string): Promise<string> {
  const ends = ['completed', 'failed', 'cancelled']
  const ended = qmp.waitForEvent('MIGRATION', {
    match: ({ data }) => ends.includes(String(data.status)),
    timeout: TIMEOUT,
  })
  ended.catch(() => {})
  await qmp.execute(command, { uri })
  return String((await ended).data.status)
}

/** QEMU's own reason is that a pipe broke. */
async function requireRoom(file: string): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(file))
  if (bavail * bsize >= LEAST_ROOM) return
  throw new VmStatesError('DISK_FULL', `${file} cannot be written: no space is left on the device`)
}

/** What writes the file for QEMU may be a moment behind it. */
async function untilThere(file: string): Promise<void> {
  const isThere = () =>
    stat(file).then(
      () => true,
      () => false,
    )
  for (let waited = 0; !(await isThere()); waited += LOOK_EVERY) {
    if (waited > LOOK_FOR) {
      await requireRoom(file)
      throw new VmStatesError('TIMEOUT', `${file} was not written`)
    }
    await delay(LOOK_EVERY)
  }
}
