import { isVmStatesError } from '../../params/errors.js'
import type { Patience } from '../../qemu/deadline.js'
import type { NetworkInterface } from '../agent/commands.js'
import type { Channel } from '../channel/channel.js'
import { exec } from '../exec/exec.js'
import { checkTimeout } from '../exec/options.js'
import { poll } from '../poll.js'

const DEFAULT_TIMEOUT = 30_000

/** Addresses that lead to the guest itself, or only to its own network card. */
const LOCAL = /^(?:127\.|169\.254\.)/

/** Prints the network cards, whether they are up, and their IPv4 addresses, one card to a line. */
const SHOW_CARDS = `
PATH=$PATH:/usr/sbin:/sbin
for card in /sys/class/net/*; do
  card=\${card##*/}
  echo "$card" "$(cat "/sys/class/net/$card/operstate")" $(ip -4 -o addr show dev "$card" | sed -n 's|.* inet \\([0-9.]*\\).*|\\1|p')
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
  let seen: string[] = []
  const look = async () => {
    const cards = await cardsOf(channel)
    seen = cards.map(({ name, isDown }) => (isDown ? `${name}, which is down` : name))
    const up = cards.filter(({ isDown }) => !isDown)
    return up.flatMap(({ addresses }) => addresses).find((address) => !LOCAL.test(address))
  }
  return await poll('waiting for an IPv4 address', look, { timeout, signal }, async () => ({
    message: `the guest had no IPv4 address within ${timeout} ms`,
    hint: `its network cards: ${seen.join(', ') || 'none'}`,
  }))
}

/** The card that is down and has an IPv4 address, so that nobody reaches it there. */
export async function downCardOf(channel: Channel, address: string): Promise<string | undefined> {
  const cards = await cardsOf(channel)
  return cards.find(({ addresses, isDown }) => isDown && addresses.includes(address))?.name
}

interface Card {
  name: string
  isDown: boolean
  /** IPv4. */
  addresses: string[]
}

/** What the kernel calls a card that has no carrier, or was taken down; not all others are `up`. */
const DOWN = 'down'

async function cardsOf(channel: Channel): Promise<Card[]> {
  const cards = await channel.agent?.execute('guest-network-get-interfaces', {})
  if (cards !== undefined) {
    return await Promise.all(
      cards.map(async (card) => ({
        name: card.name,
        isDown: await isDown(channel, card.name),
        addresses: ipv4Of(card),
      })),
    )
  }
  const { stdout } = await exec(channel, '/bin/sh', ['-c', SHOW_CARDS], {})
  return String(stdout)
    .split('\n')
    .map((line) => {
      const [name = '', state, ...addresses] = line.split(' ')
      return { name, isDown: state === DOWN, addresses }
    })
}

/** @param name - of a card, or, where the agent has it so, of an address of one: `eth0:1` */
async function isDown(channel: Channel, name: string): Promise<boolean> {
  const card = name.replace(/:.*/, '')
  // A card may go away while it is asked for.
  const state = await channel.readFile(`/sys/class/net/${card}/operstate`).catch((error) => {
    if (isVmStatesError(error, 'GUEST_FILE_FAILED')) return DOWN
    throw error
  })
  return state.toString().trim() === DOWN
}

function ipv4Of(card: NetworkInterface): string[] {
  const addresses = card['ip-addresses'] ?? []
  return addresses
    .filter((each) => each['ip-address-type'] === 'ipv4')
    .map((each) => each['ip-address'])
}
