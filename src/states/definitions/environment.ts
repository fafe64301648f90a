import { VmStatesError } from '../../params/errors.js'
import { memberNameSchema, nameSchema } from '../../params/names.js'
import { parse, showValue } from '../../params/parse.js'
import { DEFAULT_OPTIONS } from './define-state.js'
import { EnvironmentStateDefinition } from './environment-state.js'
import { isMachine, isState } from './kinds.js'
import { findOrigin } from './origin.js'
import {
  DETAILS,
  type EnvironmentDefinition,
  type EnvironmentDetails,
  type EnvironmentState,
  type Members,
  type Origin,
  type State,
  type Vms,
  type VmsOf,
} from './types.js'

/**
 * Defines an environment: several machines whose states are kept together, as they are at one moment.
 * Nothing is started or read.
 *
 * ```ts
 * const lab = environment('lab', { client: debian, server: serving })
 * const joined = lab.state('joined', async ({ client, server }) => { … })
 * ```
 *
 * @param name - unique in a project, among machines too; letters, digits, `.`, `_` and `-`
 * @param members - by the name that setups and tests use: the state in which the machine joins; a
 *   machine stands for its root. Two members may be of one machine
 * @throws VmStatesError `INVALID_VALUE` with the path of the offending value
 */
export function environment<const D extends Members>(
  name: string,
  members: D,
): EnvironmentDefinition<VmsOf<D>> {
  parse(nameSchema, name, 'environment name')
  return new Environment(name, members, `environment "${name}"`, findOrigin(environment))
}

/**
 * An environment that nobody named, for tests that need several machines at once.
 *
 * @param where - what the members are, as their writer knows them
 * @throws VmStatesError `INVALID_VALUE`
 */
export function unnamedEnvironment<const D extends Members>(
  members: D,
  where: string,
): EnvironmentDefinition<VmsOf<D>> {
  return new Environment(Object.keys(members).join(' + '), members, where, undefined)
}

class Environment<V extends Vms> implements EnvironmentDefinition<V> {
  readonly name: string
  readonly state: EnvironmentState<V>['state']
  readonly live: EnvironmentState<V>['live']
  readonly [DETAILS]: EnvironmentDetails<V>

  constructor(name: string, members: Members, where: string, origin: Origin | undefined) {
    const sources = parseMembers(members, where)
    this.name = name
    const root = new EnvironmentStateDefinition<V>(this, 'root', 'disk', {
      kind: 'environment-state',
      owner: this,
      members: sources,
      sources,
      origin,
      options: DEFAULT_OPTIONS,
      step: undefined,
    })
    this[DETAILS] = { kind: 'environment', origin, root, states: new Map() }
    this.state = root.state.bind(root)
    this.live = root.live.bind(root)
  }
}

function parseMembers(members: Members, where: string): Record<string, State> {
  const entries = typeof members === 'object' && members !== null ? Object.entries(members) : []
  if (entries.length === 0) {
    throw new VmStatesError(
      'INVALID_VALUE',
      `${where} has no members: it takes machines or states by name, as in { client, server }`,
    )
  }
  return Object.fromEntries(
    entries.map(([member, definition]) => {
      parse(memberNameSchema, member, `${where} member name`)
      if (isMachine(definition)) return [member, definition.root]
      if (isState(definition)) return [member, definition]
      throw new VmStatesError(
        'INVALID_VALUE',
        `${where}.${member} is ${showValue(definition)}: a member is a machine or a state of one`,
      )
    }),
  )
}
