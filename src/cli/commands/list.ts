import { basename } from 'node:path'
import { loadConfig } from '../../params/load-config.js'
import { objectKind, objectName } from '../../states/catalogue/object-name.js'
import { readMeta } from '../../states/graph/state-meta.js'
import type { FailedTest } from '../../states/kept/kept-moment.js'
import type { StoredObject } from '../../store/objects/manifest.js'
import { openStore } from '../../store/store.js'
import { type StateView, stateTable, withSizes } from '../defined/state-view.js'
import { unknownName } from '../defined/unknown-name.js'
import type { Context, Report } from '../report.js'

/** `states list`: the states of the configuration, and what else the store has. */
export async function list(
  machine: string | undefined,
  _options: object,
  context: Context,
): Promise<Report> {
  context.progress.step('reading the store')
  const config = await loadConfig()
  const objects = await (await openStore(config.store)).objects.list()
  // The code for definitions takes longer to load than a thousand manifests.
  const defined =
    config.states.length === 0
      ? []
      : await (await import('../defined/list-defined.js')).listDefined(context)
  const shown = new Set(defined.map(({ directory }) => directory))
  const others = objects
    .filter(({ directory }) => !shown.has(directory))
    .flatMap((object) => viewStored(object, objects))
  const all = [...defined, ...others]
  const listed = machine === undefined ? all : statesOf(machine, all, config.store)
  const states = await withSizes(listed, objects)
  return {
    data: { store: config.store, states },
    text:
      states.length === 0
        ? `there are no states in ${config.store}`
        : stateTable(states, context.colors),
  }
}

function statesOf(machine: string, all: readonly StateView[], store: string): StateView[] {
  const states = all.filter(({ name }) => name.startsWith(`${machine}/`))
  if (states.length > 0) return states
  const machines = [...new Set(all.map(({ name }) => name.split('/')[0] ?? ''))]
  const message = `no machine is called ${machine}`
  throw unknownName(message, machine, machines, `The configuration, with the store ${store},`)
}

/** The test that has failed, as people call it. */
function testName({ file, fullName }: FailedTest): string {
  return `${basename(file)} > ${fullName}`
}

/** Nothing for an object that is no state, such as a downloaded image. */
function viewStored(object: StoredObject, all: readonly StoredObject[]): StateView[] {
  const meta = readMeta(object)
  if (meta === undefined) return []
  const { owner, liveness, seconds, parent, kept } = meta
  const { directory, manifest } = object
  const parents = all.filter(({ id }) => manifest.parents.includes(id))
  const stoodOn = parents.filter((each) => objectKind(each) !== 'image').map(objectName)
  return [
    {
      name: objectName(object),
      kind: objectKind(object) === 'boot' ? 'boot' : liveness,
      parents: kept !== undefined ? [parent] : stoodOn.length === 0 ? [`${owner}/root`] : stoodOn,
      status: kept === undefined ? 'stored' : 'kept',
      ...(kept?.test && { test: kept.test, reason: testName(kept.test) }),
      builtAt: new Date(manifest.createdAt),
      seconds,
      directory,
    },
  ]
}
