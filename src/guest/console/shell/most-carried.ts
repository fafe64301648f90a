import type { Readable } from 'node:stream'
import { GuestError } from '../../guest-error.js'

/** Bytes to or from a program: as many as the guest agent keeps, and an hour's work for a console. */
const MOST = 16 * 2 ** 20

/** @throws GuestError `GUEST_CONSOLE_LIMIT` if so many bytes are too many for a serial console */
export function checkCarried(bytes: number, what: string): void {
  if (bytes <= MOST) return
  throw new GuestError(
    'GUEST_CONSOLE_LIMIT',
    `${what} is more than the serial console carries (16 MiB)`,
    { hint: 'talk to the guest by its agent or over ssh, or put it on a disk of the machine' },
  )
}

/**
 * All that a stream gives.
 *
 * @throws as {@link checkCarried}, as soon as it has given too much
 */
export async function carriedBytes(input: Readable, what: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of input) {
    chunks.push(chunk)
    size += chunk.length
    checkCarried(size, what)
  }
  return Buffer.concat(chunks)
}
