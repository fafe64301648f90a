import { ensureWaker } from '../../guest/wake/ensure-waker.js'
import { eachMember } from '../definitions/each-member.js'
import type { StartedMachines } from './start-machines.js'
import { warn } from './warn.js'

/**
 * Sees to it that a waker runs in every guest that is about to be kept. Where there can be none, the
 * state is kept all the same, and people are told what that means.
 */
export async function ensureWakers({ machines }: StartedMachines): Promise<void> {
  await eachMember(machines, async ({ process, link }) => {
    if (!process.running) return
    const problem = await ensureWaker(process, link).catch((error: Error) => error.message)
    // No clone is to remember a connection that nobody else does.
    link?.drop()
    if (problem === undefined) return
    const { name } = process.options
    warn(`${name} will take longer to restore, since commands have to set its clock: ${problem}`)
  })
}
