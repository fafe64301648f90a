import type { Channel } from '../channel/channel.js'
import { exec } from '../exec/exec.js'

/** The guest's name for itself. */
export async function hostname(channel: Channel): Promise<string> {
  if (channel.agent !== undefined) {
    return (await channel.agent.execute('guest-get-host-name', {}))['host-name']
  }
  return String((await exec(channel, 'uname', ['-n'], {})).stdout)
}
