import type { Patience } from '../../qemu/deadline.js'
import type { NetworkInterface } from '../agent/commands.js'
import type { Channel } from '../channel/channel.js'
import { exec } from '../exec/exec.js'
import { checkTimeout } from '../exec/options.js'
import { poll } from '../poll.js'

const DEFAULT_TIMEOUT = 30_000

/** Addresses that lead to the guest itself, or only to its own network card. */
const LOCAL = /^(?:127\.|169\.254\.)/

/** Prints the network cards with their IPv4 addresses, one card to a line. */
const SHOW_CARDS = `
PATH=$PATH:/usr/sbin:/sbin
for card in /sys/class/net/*; do
  card=\${card##*/}
  echo "$card" $(ip -4 -o addr show dev "$card" | sed -n 's|.* inet \\([0-9.]*\\).*|\\1|p')
done
`

/**
 * Waits until the guest has an IPv4 address that others can reach.
 *
 * @returns the first one
 * @throws GuestError `TIMEOUT`, naming the network cards; `ABORTED`, `GUEST_AGENT_REFUSED`
 */
export async function firstAddress(
  channel: Channel,
  { timeout = DEFAULT_TIMEOUT, signal }: Patience,
): Promise<string> {
  checkTimeout('ip.timeout', timeout)
  let names: string[] = []
  const look = async () => {
    const cards = await cardsOf(channel)
    names = cards.map(({ name }) => name)
    return cards.flatMap(({ addresses }) => addresses).find((address) => !LOCAL.test(address))
  }
  return await poll('waiting for an IPv4 address', look, { timeout, signal }, async () => ({
    message: `the guest had no IPv4 address within ${timeout} ms`,
    hint: `its network cards: ${names.join(', ') || 'none'}`,
  }))
}

interface Card {
  name: string
  /** IPv4. */
  addresses: string[]
}

async function cardsOf(channel: Channel): Promise<Card[]> {
  const cards = await channel.agent?.execute('guest-network-get-interfaces', {})
  if (cards !== undefined)
    return cards.map((card) => ({ name: card.name, addresses: ipv4Of(card) }))
  const { stdout } = await exec(channel, '/bin/sh', ['-c', SHOW_CARDS], {})
  return String(stdout)
    .split('\n')
    .map((line) => {
      const [name = '', ...addresses] = line.split(' ')
      return { name, addresses }
    })
}

function ipv4Of(card: NetworkInterface): string[] {
  const addresses = card['ip-addresses'] ?? []
  return addresses
    .filter((each) => each['ip-address-type'] === 'ipv4')
    .map((each) => each['ip-address'])
}
