import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { monotonic } from '../../params/clocks.js'
import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import { anySchema, optionsSchema } from '../../params/options.js'
import { parse, showValue } from '../../params/parse.js'
import type { Channel } from '../channel/channel.js'
import { checkTimeout } from '../exec/options.js'
import { GuestError } from '../guest-error.js'
import { lookTimeout } from '../poll.js'
import { downCardOf } from '../system/address.js'
import { accepts, type ListeningSocket, parseListening } from './listening.js'

/** Where and how long to wait for a port. */
export interface WaitForPortOptions {
  /** An IP address of the guest's that connections would go to; `127.0.0.1` by default. */
  host?: string
  /** Milliseconds; 30,000 by default. */
  timeout?: number
}

const OPTIONS = optionsSchema({ host: anySchema, timeout: anySchema })

const DEFAULT_TIMEOUT = 30_000
const LONGEST_WAIT = 250

const isLoopback = (host: string) => host === '::1' || host.startsWith('127.')

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
 * Waits until something in the guest listens on a TCP port, and the network card of `host` is up. It reads the
 * kernel's tables: no connection is made.
 *
 * @throws GuestError `TIMEOUT`, with the ports that do listen, or the card that is down
 */
export async function waitForPort(
  channel: Channel,
  port: number,
  options: WaitForPortOptions,
): Promise<void> {
  parse(OPTIONS, options, 'waitForPort.options')
  const { host = '127.0.0.1', timeout = DEFAULT_TIMEOUT } = options
  check(port, host, timeout)
  const start = monotonic()
  for (;;) {
    const sockets = await listeningSockets(channel, lookTimeout(start, timeout))
    const isThere = sockets.some((socket) => accepts(socket, host, port))
    const down = isThere && !isLoopback(host) ? await downCardOf(channel, host) : undefined
    if (isThere && down === undefined) return
    const elapsed = monotonic() - start
    if (elapsed >= timeout) {
      if (down !== undefined) {
        const message = `${host} port ${port} of the guest cannot be reached within ${timeout} ms: ${down} is down`
        throw new GuestError('TIMEOUT', message)
      }
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
