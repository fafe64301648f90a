import { withDeadline } from '../qemu/deadline.js'
import { type ConsoleTail, PANIC } from './console/tail.js'
import type { AttachedGuest } from './guest-access.js'

/** Milliseconds that QEMU gets to tell: an error is not to be much later for it. */
const ASK_TIMEOUT = 1000

/** What `query-chardev` tells of a channel: whether something in the guest has its other end open. */
interface Chardev {
  label: string
  'frontend-open': boolean
}

/**
 * Why a guest may not have answered or ended, as its console and QEMU know it, one line each. Never rejects.
 *
 * @param guest - none if it has ended
 */
export async function findings(
  tail: ConsoleTail,
  guest: AttachedGuest | undefined,
): Promise<string[]> {
  const panic = PANIC.exec(tail.text)?.[0].trim()
  const said = panic === undefined ? [] : [`the guest's kernel has said: ${panic}`]
  if (guest?.process.running !== true) return said
  const asked = withDeadline(askQemu(guest), 'QEMU', { timeout: ASK_TIMEOUT })
  return [...said, ...(await asked.catch(() => []))]
}

async function askQemu({ process: { qmp }, channel }: AttachedGuest): Promise<string[]> {
  const { running, status } = (await qmp.execute('query-status')) as {
    running: boolean
    status: string
  }
  if (!running) return [`the machine's CPUs stand still: QEMU says that it is ${status}`]
  if (channel.agent === undefined) return []
  const chardevs = (await qmp.execute('query-chardev')) as Chardev[]
  const isOpen = chardevs.find(({ label }) => label === 'agent')?.['frontend-open'] ?? true
  return isOpen ? [] : ["nothing in the guest has the agent's port open: no agent runs there"]
}
