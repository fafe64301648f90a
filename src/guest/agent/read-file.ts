import { readError } from '../files/file-error.js'
import type { AgentCallOptions, AgentClient } from './client.js'

/** Bytes per agent message: other calls get their turn in between. */
const CHUNK = 2 ** 20

/**
 * Reads a file in the guest, of any size, through the agent's `guest-file-*` commands. No process is
 * started in the guest.
 *
 * @throws GuestError `GUEST_FILE_FAILED` if the file is missing or cannot be read
 */
export async function readFile(
  agent: AgentClient,
  path: string,
  options?: AgentCallOptions,
): Promise<Buffer> {
  try {
    const handle = await agent.execute('guest-file-open', { path, mode: 'r' }, options)
    try {
      const chunks: Buffer[] = []
      for (let eof = false; !eof; ) {
        const chunk = await agent.execute('guest-file-read', { handle, count: CHUNK }, options)
        chunks.push(Buffer.from(chunk['buf-b64'], 'base64'))
        eof = chunk.eof
      }
      return Buffer.concat(chunks)
    } finally {
      await agent.execute('guest-file-close', { handle })
    }
  } catch (error) {
    throw readError(path, error)
  }
}
