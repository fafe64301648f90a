import { type AnyState, DETAILS } from './types.js'

/** A state as people call it: `debian/nginx`, `lab/joined`. The root of an environment is `lab`. */
export function nameOf(state: AnyState): string {
  const { owner, sources } = state[DETAILS]
  return sources === undefined ? `${owner.name}/${state.name}` : owner.name
}

/** What a machine of a state is called in errors: two members may be of one machine. */
export function machineName(state: AnyState, member: string): string {
  const { kind, owner } = state[DETAILS]
  return kind === 'state' ? owner.name : member
}
