import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { Context, type ContextOptions } from '../../../src/states/graph/context.js'
import type { BuildEvent } from '../../../src/states/graph/progress.js'
import { makeStoreWithTiny } from '../../support/store-with-tiny.js'

/** A store with the built-in guest for all tests of a file, and a context that works on it. */
export function useStore() {
  let root = ''
  let context: Context
  const events: BuildEvent[] = []

  /** Another context, whose events count as well. */
  const open = (changes: Partial<ContextOptions> = {}) =>
    Context.open({
      store: root,
      label: 'test',
      onBuildEvent: (event) => events.push(event),
      ...changes,
    })

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'vms-store-'))
    await makeStoreWithTiny(root)
    context = await open()
  })
  afterAll(async () => {
    await context.close()
    await rm(root, { recursive: true, force: true })
  })
  beforeEach(() => {
    events.length = 0
  })

  return {
    /** Of the test that runs. */
    events,
    open,
    get root() {
      return root
    },
    get context() {
      return context
    },
    /** The states that the test has had built. */
    built: () => events.flatMap((event) => (event.kind === 'built' ? [event.state] : [])),
    /** What an operation must leave as it found it. */
    leftBehind: async () => ({
      objects: await readdir(join(root, 'objects')),
      keys: await readdir(join(root, 'keys')),
      leases: await readdir(join(root, 'leases')),
      machines: await readdir((await context.run()).directory),
      locks: (await readdir(join(root, 'locks'))).filter((name) => name.startsWith('state-')),
    }),
  }
}
