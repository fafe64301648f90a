import type { Patience } from '../../qemu/deadline.js'
import type { AgentClient } from '../agent/client.js'
import type { NetworkInterface } from '../agent/commands.js'
import { checkTimeout } from '../exec/options.js'
import { poll } from '../poll.js'

const DEFAULT_TIMEOUT = 30_000

/** Addresses that lead to the guest itself, or only to its own network card. */
const LOCAL = /^(?:127\.|169\.254\.)/

/**
 * Waits until the guest has an IPv4 address that others can reach.
 *
 * @returns the first one
 * @throws GuestError `TIMEOUT`, naming the network cards; `ABORTED`, `GUEST_AGENT_REFUSED`
 */
export async function firstAddress(
  agent: AgentClient,
  { timeout = DEFAULT_TIMEOUT, signal }: Patience,
): Promise<string> {
  checkTimeout('ip.timeout', timeout)
  let names: string[] = []
  const look = async () => {
    const cards = await agent.execute('guest-network-get-interfaces', {})
    names = cards.map(({ name }) => name)
    return cards.flatMap(addressesOf)[0]
  }
  return await poll('waiting for an IPv4 address', look, { timeout, signal }, async () => ({
    message: `the guest had no IPv4 address within ${timeout} ms`,
    hint: `its network cards: ${names.join(', ') || 'none'}`,
  }))
}

function addressesOf(card: NetworkInterface): string[] {
  const addresses = card['ip-addresses'] ?? []
  return addresses
    .filter((each) => each['ip-address-type'] === 'ipv4' && !LOCAL.test(each['ip-address']))
    .map((each) => each['ip-address'])
}
