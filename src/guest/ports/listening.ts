/** A TCP socket that listens in the guest. */
export interface ListeningSocket {
  /** The address as canonical IPv6 text; IPv4 addresses are mapped (`::ffff:7f00:1`). */
  address: string
  port: number
}

const LISTEN = '0A'
const ANY_IPV6 = '::'
const ANY_IPV4 = canonicalAddress('0.0.0.0')

/** An IP address in one form, whichever way it was written. */
export function canonicalAddress(address: string): string {
  const ipv6 = address.includes(':') ? address : `::ffff:${address}`
  return new URL(`http://[${ipv6}]/`).hostname.slice(1, -1)
}

/** `/proc/net/tcp` has each 32-bit word of an address in the guest's byte order: little endian. */
function parseAddress(hex: string): string {
  const words = hex.match(/.{8}/g) ?? []
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse())
  const mapped = bytes.length === 4 ? ['ff', 'ff', ...bytes] : bytes
  const groups = mapped.join('').match(/.{4}/g) ?? []
  return canonicalAddress(bytes.length === 4 ? `::${groups.join(':')}` : groups.join(':'))
}

/** The listening sockets in the text of `/proc/net/tcp` or `/proc/net/tcp6` (see proc(5)). */
export function parseListening(table: string): ListeningSocket[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/)
    const [address, port] = local.split(':')
    if (state !== LISTEN || address === undefined || port === undefined) return []
    return [{ address: parseAddress(address), port: Number.parseInt(port, 16) }]
  })
}

/** Whether a connection to an address and port would reach the socket. */
export function accepts(socket: ListeningSocket, host: string, port: number): boolean {
  if (socket.port !== port) return false
  const wanted = canonicalAddress(host)
  if (socket.address === wanted || socket.address === ANY_IPV6) return true
  return socket.address === ANY_IPV4 && wanted.startsWith('::ffff:')
}
