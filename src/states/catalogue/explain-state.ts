import { VmStatesError } from '../../params/errors.js'
import type { StoredObject } from '../../store/objects/manifest.js'
import { nameOf } from '../definitions/name-of.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import type { Context } from '../graph/context.js'
import { readMeta, type StateMeta } from '../graph/state-meta.js'
import { compareParts, type KeyPart, listParts, type PartChange } from './compare-parts.js'

/** What the key of a state is made of, and what of it is not as it was. */
export interface StateExplanation {
  /** As people call it: `debian/nginx`. */
  name: string
  key: string
  parts: readonly KeyPart[]
  /** The build that the key is compared with; undefined if there is none in the store. */
  against: { key: string; builtAt: Date; changes: readonly PartChange[] } | undefined
  /** The same for each state that it is built on, where that has changed and is no image. */
  parents: readonly StateExplanation[]
}

/** A build in the store. */
interface Build {
  object: StoredObject
  meta: StateMeta
}

/**
 * Tells what the key of a state is made of, and what has changed since it was last built; where its
 * parent has changed, also what of that, down to the cause. Changes nothing.
 *
 * @param against - the key of the build to compare with, or its beginning; by default the last build
 *   of a state of this name
 * @throws VmStatesError `OBJECT_MISSING` if no build has such a key, `USAGE` if several have
 */
export async function explainState(
  state: AnyState,
  context: Context,
  { against }: { against?: string | undefined } = {},
): Promise<StateExplanation> {
  const builds = (await context.store.objects.list()).flatMap((object): Build[] => {
    const meta = readMeta(object)
    return meta === undefined ? [] : [{ object, meta }]
  })
  const build = against === undefined ? lastBuild(state, builds) : findBuild(against, builds)
  return await explain(state, build, builds, context)
}

async function explain(
  state: AnyState,
  build: Build | undefined,
  builds: readonly Build[],
  context: Context,
): Promise<StateExplanation> {
  const { key, parts } = await context.keyOf(state)
  const explanation = { name: nameOf(state), key, parts: listParts(parts) }
  if (build === undefined) return { ...explanation, against: undefined, parents: [] }
  const { manifest } = build.object
  const changes = compareParts(parts, build.meta.parts)
  return {
    ...explanation,
    against: { key: manifest.key, builtAt: new Date(manifest.createdAt), changes },
    parents: await explainParents(state, build, builds, context),
  }
}

/** Without those that are as they were, and without images: their parts are those of the state. */
async function explainParents(
  state: AnyState,
  { meta }: Build,
  builds: readonly Build[],
  context: Context,
): Promise<StateExplanation[]> {
  const explained: StateExplanation[] = []
  for (const { parent, before } of parentsOf(state, meta.parts)) {
    if (parent[DETAILS].step === undefined) continue
    if ((await context.keyOf(parent)).key === before) continue
    const build = builds.findLast(({ object }) => object.manifest.key === before)
    explained.push(await explain(parent, build, builds, context))
  }
  return explained
}

/** What a state stands on, each with the key that it had; of an environment, its members' states. */
function parentsOf(
  state: AnyState,
  parts: Readonly<Record<string, unknown>>,
): { parent: AnyState; before: unknown }[] {
  const parent = state[DETAILS].step?.parent
  if (parent === undefined) return []
  const { sources } = parent[DETAILS]
  if (sources === undefined) return [{ parent, before: parts.parent }]
  const members = (parts.members ?? {}) as Readonly<Record<string, unknown>>
  return Object.entries(sources).map(([member, source]) => ({
    parent: source,
    before: members[member],
  }))
}

function lastBuild(state: AnyState, builds: readonly Build[]): Build | undefined {
  const { owner } = state[DETAILS]
  return builds.findLast(({ meta }) => meta.owner === owner.name && meta.state === state.name)
}

function findBuild(key: string, builds: readonly Build[]): Build {
  const found = builds.filter(({ object }) => object.manifest.key.startsWith(key))
  const keys = [...new Set(found.map(({ object }) => object.manifest.key))]
  const last = found.at(-1)
  if (last === undefined) {
    throw new VmStatesError('OBJECT_MISSING', `the store has no build with the key ${key}`, {
      hint: 'Keys of builds are shown by: states explain NAME',
    })
  }
  if (keys.length > 1) {
    throw new VmStatesError('USAGE', `${keys.length} builds have keys that begin with ${key}`, {
      hint: `They are ${keys.join(', ')}`,
    })
  }
  return last
}
