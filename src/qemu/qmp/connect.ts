import { once } from 'node:events'
import { createConnection } from 'node:net'
import { VmStatesError } from '../../params/errors.js'
import type { Patience } from '../deadline.js'
import { QmpClient } from './client.js'

/**
 * Connects to the QMP socket of a QEMU that someone else started, as with
 * `-qmp unix:PATH,server=on,wait=off`.
 *
 * @param path - the Unix socket; QEMU serves one client at a time, and others wait for a greeting
 * @throws VmStatesError `QMP_CONNECTION_LOST` if nothing listens there, `TIMEOUT`, `ABORTED`
 */
export async function connectQmp(path: string, patience: Patience = {}): Promise<QmpClient> {
  const socket = createConnection(path)
  try {
    await once(socket, 'connect')
  } catch (cause) {
    throw new VmStatesError('QMP_CONNECTION_LOST', `${path}: no QEMU answers there`, {
      hint: 'Start QEMU with -qmp unix:PATH,server=on,wait=off and give that path.',
      cause,
    })
  }
  return QmpClient.open(socket, { timeout: 10_000, ...patience })
}
