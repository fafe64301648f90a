import { setTimeout as sleep } from 'node:timers/promises'
import type { Patience } from '../../qemu/deadline.js'
import type { AgentClient } from '../agent/client.js'
import type { NetworkInterface } from '../agent/commands.js'
import { checkTimeout } from '../exec/options.js'
import { GuestError } from '../guest-error.js'

const DEFAULT_TIMEOUT = 30_000
const INTERVAL = 200

/** Addresses that lead to the guest itself, or only to its own network card. */
const LOCAL = /^(?:127\.|169\.254\.)/

/**
 * Waits until the guest has an IPv4 address that others can reach.
 *
 * @returns the first one
 * @throws GuestError `TIMEOUT`, naming the network cards; `GUEST_AGENT_REFUSED`
 */
export async function firstAddress(
  agent: AgentClient,
  { timeout = DEFAULT_TIMEOUT, signal }: Patience,
): Promise<string> {
  checkTimeout('ip.timeout', timeout)
  const start = performance.now()
  for (;;) {
    const cards = await agent.execute('guest-network-get-interfaces', {})
    const [address] = cards.flatMap(addressesOf)
    if (address !== undefined) return address
    if (performance.now() - start >= timeout) {
      const names = cards.map(({ name }) => name).join(', ') || 'none'
      const hint = `its network cards: ${names}`
      throw new GuestError('TIMEOUT', `the guest had no IPv4 address within ${timeout} ms`, {
        hint,
      })
    }
    await sleep(INTERVAL, undefined, { signal })
  }
}

function addressesOf(card: NetworkInterface): string[] {
  const addresses = card['ip-addresses'] ?? []
  return addresses
    .filter((each) => each['ip-address-type'] === 'ipv4' && !LOCAL.test(each['ip-address']))
    .map((each) => each['ip-address'])
}
