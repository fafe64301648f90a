import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'
import type { Channel } from '../channel/channel.js'
import { checkTimeout } from '../exec/options.js'
import { GuestError } from '../guest-error.js'
import { accepts, type ListeningSocket, parseListening } from './listening.js'

/** Where and how long to wait for a port. */
export interface WaitForPortOptions {
  /** An IP address of the guest's that connections would go to; `127.0.0.1` by default. */
  host?: string
  /** Milliseconds; 30,000 by default. */
  timeout?: number
}

const DEFAULT_TIMEOUT = 30_000
const LONGEST_WAIT = 250

async function listeningSockets(channel: Channel, timeout: number): Promise<ListeningSocket[]> {
  const ipv4 = await channel.readFile('/proc/net/tcp', { timeout })
  // A kernel without IPv6 has no such file.
  const ipv6 = await channel.readFile('/proc/net/tcp6', { timeout }).catch((error: unknown) => {
    if (isVmStatesError(error, 'GUEST_FILE_FAILED')) return Buffer.alloc(0)
    throw error
  })
  return [...parseListening(ipv4.toString()), ...parseListening(ipv6.toString())]
}

function check(port: number, host: string, timeout: number): void {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    const right = 'a port is a whole number from 1 to 65535'
    throw new VmStatesError('INVALID_VALUE', `waitForPort.port is ${showValue(port)}: ${right}`)
  }
  if (isIP(host) === 0) {
    const right = 'it must be an IP address of the guest'
    throw new VmStatesError('INVALID_VALUE', `waitForPort.host is ${showValue(host)}: ${right}`)
  }
  checkTimeout('waitForPort.timeout', timeout)
}

/**
 * Waits until something in the guest listens on a TCP port. It reads the kernel's tables: no
 * connection is made.
 *
 * @throws GuestError `TIMEOUT`, with the ports that do listen
 */
export async function waitForPort(
  channel: Channel,
  port: number,
  { host = '127.0.0.1', timeout = DEFAULT_TIMEOUT }: WaitForPortOptions,
): Promise<void> {
  check(port, host, timeout)
  const start = performance.now()
  for (;;) {
    const sockets = await listeningSockets(channel, timeout)
    if (sockets.some((socket) => accepts(socket, host, port))) return
    const elapsed = performance.now() - start
    if (elapsed >= timeout) {
      const ports = [...new Set(sockets.map((socket) => socket.port))].sort((a, b) => a - b)
      throw new GuestError(
        'TIMEOUT',
        `nothing in the guest listened on ${host} port ${port} within ${timeout} ms`,
        { hint: `ports that do listen: ${ports.join(', ') || 'none'}` },
      )
    }
    await sleep(Math.min(Math.max(elapsed / 5, 10), LONGEST_WAIT, timeout - elapsed))
  }
}
