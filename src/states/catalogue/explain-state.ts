import { VmStatesError } from '../../params/errors.js'
import type { StoredObject } from '../../store/objects/manifest.js'
import { DETAILS, type State } from '../definitions/types.js'
import { nameOf } from '../graph/build-task.js'
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
  /** The same for the state that it is built on, where that has changed and is no image. */
  parent: StateExplanation | undefined
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
  state: State,
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
  state: State,
  build: Build | undefined,
  builds: readonly Build[],
  context: Context,
): Promise<StateExplanation> {
  const { key, parts } = await context.keyOf(state)
  const explanation = { name: nameOf(state), key, parts: listParts(parts) }
  if (build === undefined) return { ...explanation, against: undefined, parent: undefined }
  const { manifest } = build.object
  const changes = compareParts(parts, build.meta.parts)
  return {
    ...explanation,
    against: { key: manifest.key, builtAt: new Date(manifest.createdAt), changes },
    parent: await explainParent(state, build, builds, context),
  }
}

/** Nothing for a parent that is as it was, or an image: its parts are among those of the state. */
async function explainParent(
  state: State,
  { meta, object }: Build,
  builds: readonly Build[],
  context: Context,
): Promise<StateExplanation | undefined> {
  const parent = state[DETAILS].step?.parent
  if (parent === undefined || parent[DETAILS].step === undefined) return undefined
  if ((await context.keyOf(parent)).key === meta.parts.parent) return undefined
  const stoodOn = new Set(object.manifest.parents)
  const before = builds.find((build) => stoodOn.has(build.object.id))
  return await explain(parent, before, builds, context)
}

function lastBuild(state: State, builds: readonly Build[]): Build | undefined {
  return builds.findLast(
    ({ meta }) => meta.machine === state.machine.name && meta.state === state.name,
  )
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
