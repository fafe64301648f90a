import { VmStatesError } from '../../params/errors.js'
import { loadConfig } from '../../params/load-config.js'
import { isEnvironment } from '../../states/definitions/kinds.js'
import { nameOf } from '../../states/definitions/name-of.js'
import { type AnyState, DETAILS, type Definition } from '../../states/definitions/types.js'
import type { Context as StatesContext } from '../../states/graph/context.js'
import { keptDefinition } from '../../states/kept/kept-definition.js'
import { isKeptOwner } from '../../states/kept/kept-moment.js'
import { findKept, type KeptState, leaseKept } from '../../states/kept/kept-states.js'
import { requireLoadable } from '../../states/kept/require-loadable.js'
import {
  type MachinesInHand,
  type OpenOptions,
  openMachines,
} from '../../states/machines/machines-in-hand.js'
import { findDefinition, findState, loadDefinitions } from '../defined/load-machines.js'
import { withContext } from '../defined/with-context.js'
import type { Context, Report } from '../report.js'
import type { DefinedState, Target } from '../targets/target.js'

/** A state that machines can be started in. */
export interface Runnable {
  /** As people call it. */
  name: string
  definition: AnyState
  /** What is known of it, if nobody defined it. */
  kept: KeptState | undefined
  context: StatesContext
  /** Starts its machines, and builds it first if it is not there. */
  open(options: OpenOptions): Promise<MachinesInHand>
}

/**
 * Finds a state that was defined or kept, and opens the store for it.
 *
 * @throws VmStatesError `USAGE` for an image; `STATE_UNKNOWN`; `STATE_MISSING` for one that was kept and
 *   is no more; `INVALID_CONFIG`
 */
export async function openRunnable(
  target: Target,
  command: Context,
  use: (runnable: Runnable) => Promise<Report>,
): Promise<Report> {
  if (target.kind === 'image') {
    throw new VmStatesError('USAGE', `${target.file} is an image, and run takes a state`, {
      hint: 'A state of states.config.ts (debian/nginx), or a kept one, as states list shows them.',
    })
  }
  command.progress.step('reading the configuration')
  // Kept states need no definitions: these may be gone, or broken.
  return (await openKept(target, command, use)) ?? (await openDefined(target, command, use))
}

async function openKept(
  { machine: owner, state: name }: DefinedState,
  command: Context,
  use: (runnable: Runnable) => Promise<Report>,
): Promise<Report | undefined> {
  if (!isKeptOwner(owner) || name === undefined) return undefined
  const config = await loadConfig()
  return await withContext({ config }, { build: config.build }, command, async (context) => {
    const { store } = context
    const kept = await findKept(store, owner, name)
    if (kept === undefined) return undefined
    const definition = keptDefinition(kept.meta, kept.moment)
    const open = async (options: OpenOptions) => {
      await requireLoadable(definition, kept, context)
      const state = await leaseKept(store, kept)
      return await openMachines(definition, context, { ...options, state })
    }
    return await use({ name: nameOf(definition), definition, kept, context, open })
  })
}

async function openDefined(
  target: DefinedState,
  command: Context,
  use: (runnable: Runnable) => Promise<Report>,
): Promise<Report> {
  const definitions = await loadDefinitions()
  const { machine, state } = target
  if (!definitions.byName.has(machine) && isKeptOwner(machine)) {
    const name = state === undefined ? machine : `${machine}/${state}`
    throw new VmStatesError('STATE_MISSING', `${name} is not in the store`, {
      hint: 'What was kept is shown by: states list',
    })
  }
  const owner = findDefinition(definitions, machine)
  const definition = state === undefined ? rootOf(owner) : findState(owner, state)
  const { config } = definitions
  return await withContext(definitions, { build: config.build }, command, (context) => {
    const open = (options: OpenOptions) => openMachines(definition, context, options)
    return use({ name: nameOf(definition), definition, kept: undefined, context, open })
  })
}

/** A machine stands for its image as it is, an environment for its members in their own states. */
function rootOf(owner: Definition): AnyState {
  if (isEnvironment(owner)) return owner[DETAILS].root
  return findState(owner, 'root')
}
