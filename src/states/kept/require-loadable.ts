import { VmStatesError } from '../../params/errors.js'
import { eachMember } from '../definitions/each-member.js'
import { nameOf } from '../definitions/name-of.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import type { Context } from '../graph/context.js'
import { isUnchanged } from '../graph/find-state.js'
import type { KeptMachine } from './kept-moment.js'
import type { KeptState } from './kept-states.js'

/**
 * Sees to it that the machines of a kept state go on as they were: in the QEMU that they ran in, on its
 * accelerator, and on images with the content that they had. No key says so of a state that nobody built.
 *
 * @param definition - of the kept state
 * @throws VmStatesError `STATE_NOT_LOADED`, `QEMU_MISSING`
 */
export async function requireLoadable(
  definition: AnyState,
  { meta, moment }: KeptState,
  context: Context,
): Promise<void> {
  const name = nameOf(definition)
  await eachMember(definition[DETAILS].members, async ({ machine }, member) => {
    const then = moment.machines[member]?.emulator
    const now = await context.emulatorOf(machine)
    if (then?.version === now.version && then.accelerator === now.accelerator) return
    const text = `${name} was kept by ${told(then)}, and ${now.binary} is ${told(now)}`
    const hint = 'VM_STATES_QEMU names another QEMU, VM_STATES_ACCEL another accelerator.'
    throw new VmStatesError('STATE_NOT_LOADED', text, { hint })
  })
  for (const base of meta.bases) {
    if (await isUnchanged(base, context.store)) continue
    const path = base.image.kind === 'file' ? base.image.path : base.image.kind
    const text = `${name} stands on the image ${path}, which has changed since it was kept`
    throw new VmStatesError('STATE_NOT_LOADED', text)
  }
}

function told(emulator: KeptMachine['emulator'] | undefined): string {
  if (emulator === undefined) return 'an unknown QEMU'
  return `QEMU ${emulator.version} on ${emulator.accelerator.toUpperCase()}`
}
