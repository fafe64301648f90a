import { eachMember } from '../definitions/each-member.js'
import { nameOf } from '../definitions/name-of.js'
import { type AnyState, ONLY_MEMBER, type State } from '../definitions/types.js'
import type { AvailableMember, AvailableState } from './available-state.js'

/**
 * The root of an environment: each member in its own state.
 *
 * @throws what making the first member available that cannot be throws; nothing is leased then
 */
export async function together(
  state: AnyState,
  sources: Readonly<Record<string, State>>,
  makeAvailable: (source: State) => Promise<AvailableState>,
): Promise<AvailableState> {
  const available: AvailableState[] = []
  const release = async () => {
    await Promise.all(available.map((source) => source.release()))
  }
  try {
    const made = await eachMember(sources, async (source) => {
      const one = await makeAvailable(source)
      available.push(one)
      return one
    })
    const members = Object.entries(made).map(([member, { members }]) => [
      member,
      members[ONLY_MEMBER] as AvailableMember,
    ])
    const replays = Object.entries(made).flatMap(([member, { replays = [] }]) =>
      replays.map((replay) => ({ ...replay, member })),
    )
    return {
      name: nameOf(state),
      members: Object.fromEntries(members),
      bases: available.flatMap(({ bases }) => bases),
      objects: [...new Set(available.flatMap(({ objects }) => objects))],
      worth: Math.max(...available.map(({ worth }) => worth)),
      ...(replays.length > 0 && { replays }),
      release,
    }
  } catch (error) {
    await release()
    throw error
  }
}
