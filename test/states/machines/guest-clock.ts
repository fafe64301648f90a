import { AgentClient } from '../../../src/guest/agent/client.js'
import { GuestError } from '../../../src/guest/guest-error.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'

/** Milliseconds that a guest's clock is off, at least; nobody else may talk to its agent meanwhile. */
export async function clockError({ agent: channel }: MachineProcess): Promise<number> {
  const agent = new AgentClient(channel)
  await agent.synchronize()
  const asked = Date.now()
  const time = (await agent.execute('guest-get-time', {})) / 1e6
  const answered = Date.now()
  agent.close(() => new GuestError('GUEST_RELEASED', 'the clock was read'))
  if (time < asked) return asked - time
  return Math.max(0, time - answered)
}
