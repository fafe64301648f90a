import type { Patience } from '../../qemu/deadline.js'
import type { AgentClient } from '../agent/client.js'
import { exec } from '../exec/exec.js'
import { checkGuestPath, checkTimeout } from '../exec/options.js'
import { poll } from '../poll.js'

const DEFAULT_TIMEOUT = 30_000

/** Whether there is anything at a path, a symbolic link to nothing too. */
const EXISTS = '[ -e "$1" ] || [ -L "$1" ]'

/** Whether there is a file, a directory or anything else in the guest at a path. */
export async function exists(agent: AgentClient, path: string): Promise<boolean> {
  checkGuestPath('exists.path', path)
  const options = { reject: false }
  const { exitCode } = await exec(agent, '/bin/sh', ['-c', EXISTS, 'sh', path], options)
  return exitCode === 0
}

/**
 * Waits until there is something in the guest at a path.
 *
 * @throws GuestError `TIMEOUT`, `ABORTED`
 */
export async function waitForFile(
  agent: AgentClient,
  path: string,
  { timeout = DEFAULT_TIMEOUT, signal }: Patience,
): Promise<void> {
  checkGuestPath('waitForFile.path', path)
  checkTimeout('waitForFile.timeout', timeout)
  const look = async () => (await exists(agent, path)) || undefined
  await poll(`waiting for ${path}`, look, { timeout, signal }, async () => ({
    message: `there was no ${path} in the guest within ${timeout} ms`,
  }))
}
