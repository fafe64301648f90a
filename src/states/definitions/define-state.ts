import { findUnsavableDisk } from '../../params/drives.js'
import { VmStatesError } from '../../params/errors.js'
import { stateNameSchema } from '../../params/names.js'
import { parse, showValue } from '../../params/parse.js'
import { findRamWriter } from '../../params/ram-writers.js'
import {
  liveStateOptionsSchema,
  type ParsedStateOptions,
  stateOptionsSchema,
} from '../../params/state.js'
import { duplicateName } from './duplicates.js'
import {
  type AnyState,
  DETAILS,
  type Liveness,
  type LiveStateOptions,
  type Member,
  type Origin,
  type StateDetails,
  type StateOptions,
} from './types.js'

/** The options of a state of which nothing is said, as of most. */
export const DEFAULT_OPTIONS: ParsedStateOptions = stateOptionsSchema.parse({})

const DEFAULT_LIVE_OPTIONS: ParsedStateOptions = liveStateOptionsSchema.parse({})

/** A state as `.state()` and `.live()` are given it. */
interface NewState {
  name: string
  liveness: Liveness
  setup: unknown
  options: StateOptions | LiveStateOptions | undefined
  origin: Origin | undefined
}

/**
 * Checks what a user says of a state that is to be built on another one.
 *
 * @returns all but what setups and tests of the new state get to hold
 * @throws VmStatesError `INVALID_VALUE`, `DUPLICATE_NAME`
 */
export function defineState(
  parent: AnyState,
  { name, liveness, setup, options, origin }: NewState,
): Omit<StateDetails, 'hold'> {
  const { kind, owner, members } = parent[DETAILS]
  const where = `${owner.name}/${name}`
  parse(stateNameSchema, name, 'state name')
  if (typeof setup !== 'function') {
    const takes = kind === 'state' ? 'the machine' : 'the machines'
    throw new VmStatesError(
      'INVALID_VALUE',
      `${where} setup is ${showValue(setup)}: a setup is a function that takes ${takes}`,
    )
  }
  const parsed = parseOptions(liveness, options, where)
  if (parsed.backend === 'fork') requireQuietRam(members, where)
  if (liveness === 'live') requireSavableDisks(members, where)
  const other = owner[DETAILS].states.get(name)
  if (other !== undefined) {
    throw duplicateName(`state "${where}"`, name, other[DETAILS].origin, origin)
  }
  return {
    kind,
    owner,
    members: inKind(members, liveness),
    origin,
    options: parsed,
    step: { parent, setup: setup as (held: unknown) => unknown },
  }
}

/** Machines that boot cold may have what a live state cannot bear. */
function requireQuietRam(members: Readonly<Record<string, Member>>, where: string): void {
  for (const { machine } of Object.values(members)) {
    const found = findRamWriter(machine[DETAILS].options.extraArgs)
    if (found === undefined) continue
    throw new VmStatesError(
      'INVALID_VALUE',
      `${where} cannot be a live state: "${found.argument}" among the extraArgs of ` +
        `${machine.name} changes the machine's RAM from outside of its guest`,
      { hint: 'Leave that argument out, or keep the state in one file: { backend: "live" }' },
    )
  }
}

function requireSavableDisks(members: Readonly<Record<string, Member>>, where: string): void {
  for (const { machine } of Object.values(members)) {
    const found = findUnsavableDisk(machine[DETAILS].options)
    if (found === undefined) continue
    throw new VmStatesError(
      'INVALID_VALUE',
      `${where} cannot be a live state: ${found.message}, and ${machine.name}.${found.path.join('.')} is "nvme"`,
      { hint: 'Choose another bus, or make it a disk state: .state()' },
    )
  }
}

function inKind(
  members: Readonly<Record<string, Member>>,
  liveness: Liveness,
): Record<string, Member> {
  return Object.fromEntries(
    Object.entries(members).map(([member, { machine }]) => [member, { machine, liveness }]),
  )
}

function parseOptions(liveness: Liveness, options: unknown, where: string): ParsedStateOptions {
  if (options === undefined) return liveness === 'disk' ? DEFAULT_OPTIONS : DEFAULT_LIVE_OPTIONS
  return parse(liveness === 'disk' ? stateOptionsSchema : liveStateOptionsSchema, options, where)
}
