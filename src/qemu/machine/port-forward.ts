import { VmStatesError } from '../../params/errors.js'
import type { QmpClient } from '../qmp/client.js'
import { NETWORK_ID } from './command-line.js'

/** A port of the host's loopback that leads to a port of the guest. */
export interface PortForward {
  guestPort: number
  hostPort: number
}

const FORWARD =
  /^\s*TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(?<host>\d+)\s+\S+\s+(?<guest>\d+)\s/gm

/** The TCP forwards on the host's loopback in what `info usernet` printed. */
function parsePortForwards(text: string): PortForward[] {
  return [...text.matchAll(FORWARD)].map(({ groups }) => ({
    guestPort: Number(groups?.guest),
    hostPort: Number(groups?.host),
  }))
}

const CONNECTION = /^\s*TCP\[(?:ESTABLISHED|SYN_SENT|SYN_RECEIVED|CLOSE_WAIT)\]/m

/** Whether TCP connections of the guest's user-mode network are open: QEMU keeps them whatever its guest does. */
export async function hasConnections(qmp: QmpClient): Promise<boolean> {
  return CONNECTION.test(await qmp.humanMonitor('info usernet'))
}

/** The forwards that a machine has now. */
export async function listPortForwards(qmp: QmpClient): Promise<PortForward[]> {
  return parsePortForwards(await qmp.humanMonitor('info usernet'))
}

function requirePort(port: number, lowest: number, whose: string): void {
  if (Number.isInteger(port) && port >= lowest && port <= 65_535) return
  throw new VmStatesError('INVALID_VALUE', `${port} is not a port of the ${whose}`, {
    hint: `A port is a whole number from ${lowest} to 65535.`,
  })
}

/**
 * Forwards a port of the host's loopback to a TCP port of the guest.
 *
 * @param hostPort - 0 for one that the host's kernel picks
 * @throws VmStatesError `PORT_FORWARD_FAILED`, with QEMU's reason
 */
export async function addPortForward(
  qmp: QmpClient,
  guestPort: number,
  hostPort: number,
): Promise<PortForward> {
  requirePort(guestPort, 1, 'guest')
  requirePort(hostPort, 0, 'host')
  try {
    const before = await listPortForwards(qmp)
    await qmp.humanMonitor(`hostfwd_add ${NETWORK_ID} tcp:127.0.0.1:${hostPort}-:${guestPort}`)
    if (hostPort !== 0) return { guestPort, hostPort }
    const known = new Set(before.map((forward) => forward.hostPort))
    const added = (await listPortForwards(qmp)).find(
      (forward) => forward.guestPort === guestPort && !known.has(forward.hostPort),
    )
    if (added !== undefined) return added
    throw new Error('QEMU does not list the forward that it has just made')
  } catch (cause) {
    const host = hostPort === 0 ? 'a free port' : `port ${hostPort}`
    throw new VmStatesError(
      'PORT_FORWARD_FAILED',
      `${host} of the host cannot be forwarded to port ${guestPort} of the guest: ${(cause as Error).message}`,
      { hint: 'The host port must be free, and the machine have a network card.', cause },
    )
  }
}

/**
 * Ends a forward. Connections that it made stay.
 *
 * @throws VmStatesError `PORT_FORWARD_FAILED` if there is none on that port
 */
export async function removePortForward(qmp: QmpClient, hostPort: number): Promise<void> {
  try {
    const text = await qmp.humanMonitor(`hostfwd_remove ${NETWORK_ID} tcp:127.0.0.1:${hostPort}`)
    if (!text.includes('removed')) throw new Error(text.trim())
  } catch (cause) {
    throw new VmStatesError(
      'PORT_FORWARD_FAILED',
      `the forward of port ${hostPort} cannot be removed: ${(cause as Error).message}`,
      { cause },
    )
  }
}
