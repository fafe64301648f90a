import { copyImage } from '../../backends/copy-image.js'
import { writableDisks } from '../../backends/live/disk-snapshot.js'
import { VmStatesError } from '../../params/errors.js'
import { leaveOverlays, requirePlaces } from '../../states/catalogue/overlay-files.js'
import { eachMember } from '../../states/definitions/each-member.js'
import type { AnyState } from '../../states/definitions/types.js'
import type { Context as StatesContext } from '../../states/graph/context.js'
import { captureMoment } from '../../states/kept/keep-machines.js'
import { KEPT } from '../../states/kept/kept-moment.js'
import { keptKey } from '../../states/kept/kept-states.js'
import type { MachinesInHand } from '../../states/machines/machines-in-hand.js'
import type { Context } from '../report.js'
import type { KeepOptions } from './run-options.js'

/** Milliseconds to write the RAM of machines that somebody wants to keep. */
const CAPTURE_TIMEOUT = 600_000

/** What was kept of the changes. */
export interface KeptChanges {
  /** The name of the live state. */
  state?: string
  /** The overlays. */
  files?: readonly string[]
}

/**
 * Finds out, before anything is started, whether changes can be kept under their name.
 *
 * @returns what holds the name; to be disposed of
 * @throws VmStatesError `STATE_EXISTS`, `OUTPUT_EXISTS`, `ACCESS_DENIED`; `TIMEOUT` while another run is to be kept under
 *   the name
 */
export async function prepareToKeep(
  { overlay, state }: KeepOptions,
  definition: AnyState,
  { store }: StatesContext,
): Promise<AsyncDisposable | undefined> {
  if (overlay !== undefined) await requirePlaces(definition, overlay)
  if (state === undefined) return undefined
  const key = keptKey(KEPT, state)
  const lock = await store.lock(key, { timeout: 0 })
  if ((await store.keys.lookup(key)) === undefined) return lock
  await lock.release()
  throw new VmStatesError('STATE_EXISTS', `${KEPT}/${state} is in the store already`, {
    hint: `Choose another name, or remove it: states unset ${KEPT}/${state}`,
  })
}

/**
 * Keeps what was asked for of machines at their end: their disks, once their guests have shut down, or
 * all of them, as they are.
 *
 * @throws VmStatesError `GUEST_NOT_SHUT_DOWN`, `GUEST_GONE`, `SAVE_BLOCKED`, `DISK_FULL`
 */
export async function keepChanges(
  { overlay, state }: KeepOptions,
  machines: MachinesInHand,
  context: StatesContext,
  { progress }: Context,
): Promise<KeptChanges> {
  if (state !== undefined) {
    progress.step(`keeping ${KEPT}/${state}`)
    const { draft, commit } = await captureMoment(machines, context, { timeout: CAPTURE_TIMEOUT })
    try {
      await commit(KEPT, state)
    } catch (error) {
      await draft.discard()
      throw error
    }
    return { state: `${KEPT}/${state}` }
  }
  if (overlay === undefined) return {}
  progress.step('shutting the guest down')
  await machines.shutDown()
  progress.step('keeping the disks')
  const { definition } = machines
  const disks = await eachMember(machines.machines, async ({ prepared }) =>
    writableDisks(prepared.disks),
  )
  const { objects } = machines.state
  const create = (disk: { file: string }, path: string) => copyImage(disk.file, path)
  const files = await leaveOverlays(
    definition,
    { output: overlay, disks, objects, create },
    context.store,
  )
  return { files }
}
