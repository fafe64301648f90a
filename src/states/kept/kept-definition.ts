import { DEFAULT_OPTIONS } from '../definitions/define-state.js'
import { machine } from '../definitions/machine.js'
import {
  type AnyState,
  DETAILS,
  type Definition,
  type Member,
  ONLY_MEMBER,
  type Vm,
  type Vms,
} from '../definitions/types.js'
import type { StateMeta } from '../graph/state-meta.js'
import type { KeptMoment } from './kept-moment.js'

/**
 * The definition of a kept state, made of what its manifest says: that of its machines may have changed
 * since, or be gone. It is resumed as it was, with the identity that it had.
 */
export function keptDefinition(
  { owner, state }: Pick<StateMeta, 'owner' | 'state'>,
  { machines, kind }: KeptMoment,
): AnyState<Vm | Vms> {
  const members = Object.fromEntries(
    Object.entries(machines).map(([member, { name, options }]): [string, Member] => [
      member,
      { machine: machine(name, { ...options, identity: 'saved' }), liveness: 'live' },
    ]),
  )
  const definition: Definition = {
    name: owner,
    [DETAILS]: {
      kind: kind === 'state' ? 'machine' : 'environment',
      origin: undefined,
      states: new Map(),
    },
  }
  return {
    name: state,
    liveness: 'live',
    [DETAILS]: {
      kind,
      owner: definition,
      members,
      hold: (vms) => (kind === 'state' ? (vms[ONLY_MEMBER] as Vm) : vms),
      origin: undefined,
      options: DEFAULT_OPTIONS,
      step: undefined,
    },
  }
}
