import type { Patience } from '../../qemu/deadline.js'
import type { Channel } from '../channel/channel.js'
import { exec } from '../exec/exec.js'
import { checkGuestPath, checkTimeout } from '../exec/options.js'
import { poll } from '../poll.js'

const DEFAULT_TIMEOUT = 30_000

/** Whether there is anything at a path, a symbolic link to nothing too. */
const EXISTS = '[ -e "$1" ] || [ -L "$1" ]'

/** Whether there is a file, a directory or anything else in the guest at a path. */
export async function exists(channel: Channel, path: string): Promise<boolean> {
  checkGuestPath('exists.path', path)
  const options = { reject: false }
  const { exitCode } = await exec(channel, '/bin/sh', ['-c', EXISTS, 'sh', path], options)
  return exitCode === 0
}

/**
 * Waits until there is something in the guest at a path.
 *
 * @throws GuestError `TIMEOUT`, `ABORTED`
 */
export async function waitForFile(
  channel: Channel,
  path: string,
  { timeout = DEFAULT_TIMEOUT, signal }: Patience,
): Promise<void> {
  checkGuestPath('waitForFile.path', path)
  checkTimeout('waitForFile.timeout', timeout)
  const look = async () => (await exists(channel, path)) || undefined
  await poll(`waiting for ${path}`, look, { timeout, signal }, async () => ({
    message: `there was no ${path} in the guest within ${timeout} ms`,
  }))
}
