import { encode, PER_LINE } from './encoding.js'
import { noRoomError } from './no-room.js'
import type { ShellSession } from './shell-session.js'
import type { Stop } from './stop.js'

/** Lines of a file that are gathered before they are written: a guest starts a program for that. */
const GATHERED = 24

/**
 * Types a file into the shell's own directory.
 *
 * @throws Stopped; GuestError `GUEST_FILE_FAILED` if there is no room for it, `GUEST_CONSOLE_LOST`
 */
export async function upload(
  session: ShellSession,
  name: string,
  bytes: Buffer,
  stop: Stop,
): Promise<void> {
  await session.request(`x=; h; rm -f $d/${name}; : >$d/${name}`, stop)
  const parts = encode(bytes, session.encoding)
  for (const [index, part] of parts.entries()) {
    const isFull = (index + 1) % GATHERED === 0 || index === parts.length - 1
    const reply = await session.request(`x=$x'${part}'${isFull ? `; a ${name}` : ''}`, stop)
    const typed = Math.min((index + 1) * PER_LINE[session.encoding], bytes.length)
    if (isFull) await checkSize(session, { name, typed, reply }, stop)
  }
}

/** @param file - how many bytes of it were typed by now, and what the last line was answered with */
async function checkSize(
  session: ShellSession,
  file: { name: string; typed: number; reply: string },
  stop: Stop,
): Promise<void> {
  const { name, typed, reply } = file
  const size = new RegExp(`${session.nonce}@(\\S+) (\\d*)@`)
  const [, directory = '', there] = await session.ask(`z ${name}`, size, stop, reply)
  if (Number(there) === typed) return
  await session.request(`rm -f $d/${name}`, stop)
  throw noRoomError(directory, reply)
}
