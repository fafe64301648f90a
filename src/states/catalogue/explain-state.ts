import { VmStatesError } from '../../params/errors.js'
import type { StoredObject } from '../../store/objects/manifest.js'
import { nameOf } from '../definitions/name-of.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import { type BuildTask, bootTaskOf } from '../graph/build-task.js'
import type { Context } from '../graph/context.js'
import { readMeta, type StateMeta } from '../graph/state-meta.js'
import { storedName } from '../graph/stored-name.js'
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

/** A state that has a key: one that a user defined, a root, or the kept boot of one. */
type Subject = Pick<BuildTask, 'name' | 'key'> & { parent: AnyState | undefined }

/** A build in the store. */
interface Build {
  object: StoredObject
  meta: StateMeta
}

/**
 * Tells what the key of a state is made of, and what has changed since it was last built; where its
 * parent has changed, also what of that, down to the cause. Changes nothing.
 *
 * @param options - `booted`: the kept boot of the state instead; `against`: the key of the build to
 *   compare with, or its beginning; by default the last build of this name
 * @throws VmStatesError `OBJECT_MISSING` if no build has such a key, `USAGE` if several have
 */
export async function explainState(
  state: AnyState,
  context: Context,
  { booted = false, against }: { booted?: boolean; against?: string | undefined } = {},
): Promise<StateExplanation> {
  const builds = (await context.store.objects.list()).flatMap((object): Build[] => {
    const meta = readMeta(object)
    return meta === undefined ? [] : [{ object, meta }]
  })
  const subject = booted ? await bootTaskOf(state, context) : await subjectOf(state, context)
  const build = against === undefined ? lastBuild(subject, builds) : findBuild(against, builds)
  return await explain(subject, build, builds, context)
}

async function subjectOf(state: AnyState, context: Context): Promise<Subject> {
  const parent = state[DETAILS].step?.parent
  return { name: nameOf(state), key: await context.keyOf(state), parent }
}

async function explain(
  subject: Subject,
  build: Build | undefined,
  builds: readonly Build[],
  context: Context,
): Promise<StateExplanation> {
  const { key, parts } = subject.key
  const explanation = { name: subject.name, key, parts: listParts(parts) }
  if (build === undefined) return { ...explanation, against: undefined, parents: [] }
  const { manifest } = build.object
  const changes = compareParts(parts, build.meta.parts)
  return {
    ...explanation,
    against: { key: manifest.key, builtAt: new Date(manifest.createdAt), changes },
    parents: await explainParents(subject, build, builds, context),
  }
}

/** Without those that are as they were, and without images: their parts are those of the state. */
async function explainParents(
  { parent: direct }: Subject,
  { meta }: Build,
  builds: readonly Build[],
  context: Context,
): Promise<StateExplanation[]> {
  const explained: StateExplanation[] = []
  for (const { parent, before } of parentsOf(direct, meta.parts)) {
    if (parent[DETAILS].step === undefined) continue
    if ((await context.keyOf(parent)).key === before) continue
    const build = builds.findLast(({ object }) => object.manifest.key === before)
    explained.push(await explain(await subjectOf(parent, context), build, builds, context))
  }
  return explained
}

/** What a state stands on, each with the key that it had; of an environment, its members' states. */
function parentsOf(
  parent: AnyState | undefined,
  parts: Readonly<Record<string, unknown>>,
): { parent: AnyState; before: unknown }[] {
  if (parent === undefined) return []
  const { sources } = parent[DETAILS]
  if (sources === undefined) return [{ parent, before: parts.parent }]
  const members = (parts.members ?? {}) as Readonly<Record<string, unknown>>
  return Object.entries(sources).map(([member, source]) => ({
    parent: source,
    before: members[member],
  }))
}

function lastBuild({ name }: Subject, builds: readonly Build[]): Build | undefined {
  return builds.findLast(({ meta }) => storedName(meta) === name)
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
