import { expect, test } from 'vitest'
import { loadModule } from '../../src/params/load-module.js'
import type { State } from '../../src/states/definitions/types.js'
import { Context } from '../../src/states/graph/context.js'
import type { StoredObject } from '../../src/store/objects/manifest.js'
import { fabricate } from '../support/fabricated-state.js'
import { makeProject, writeIn } from './defined-project.js'
import { json, useWorkplace } from './states-command.js'

const place = useWorkplace()

const STATES = `
import { environment, image, machine } from 'vitest-vm-states/states'
import { install } from './helpers.js'

const m = machine('m', { image: image.blank('1 MiB'), memory: '128 MiB' })
export const base = m.state('base', (vm) => install(vm))
export const site = base.state('site', async () => {})
export const top = site.state('top', async () => {}, { inputs: { values: { port: 80 } } })
export const joined = environment('lab', { a: site, b: base }).state('joined', async () => {})
`

const helpers = (name: string) => `
const NAME = '${name}'
export async function install(vm) { await vm.$\`install \${NAME}\` }
`

interface Explained {
  name: string
  key: string
  against?: { key: string; changes: { part: string; item: string }[] }
  parents: Explained[]
}

/** Puts the states into the store, as if they had been built; returns their keys. */
async function build(): Promise<Record<'base' | 'site' | 'top' | 'joined' | 'booted', string>> {
  const exported = await loadModule(place.path('vm/states.ts'), { XDG_CACHE_HOME: place.path('c') })
  await using context = await Context.open({ store: place.path('store'), label: 'test' })
  const add = (name: string, parents: StoredObject[] = [], boot = false) =>
    fabricate(exported[name] as State, context, { parents, boot })
  const base = await add('base')
  const site = await add('site', [base])
  const top = await add('top', [site])
  const joined = await add('joined', [site, base])
  const booted = await add('site', [site], true)
  await add('base', [base], true)
  const keyOf = ({ manifest }: StoredObject) => manifest.key
  return {
    ...{ base: keyOf(base), site: keyOf(site), top: keyOf(top) },
    ...{ joined: keyOf(joined), booted: keyOf(booted) },
  }
}

async function explain(...args: string[]): Promise<Explained> {
  return json(await place.states(['explain', ...args, '--json'])) as Explained
}

const changed = ({ against }: Explained) =>
  against?.changes.map(({ part, item }) => `${part} ${item}`.trim())

test('states explain shows what a key is made of, and what has changed down to the cause', async () => {
  await makeProject(place, STATES)
  await writeIn(place, 'vm/helpers.ts', helpers('nginx'))
  const never = await place.states(['explain', 'm/base'])
  expect(never).toMatchObject({ exitCode: 0, stderr: '' })
  expect(never.stdout).toMatch(
    /^m\/base has the key [0-9a-f]{12}; the store has no build of it to compare with$/m,
  )
  expect(never.stdout).toMatch(/^code +\.\/helpers\.ts: NAME +[0-9a-f]{12}$/m)
  expect(never.stdout).toMatch(/^machine +memory +134217728$/m)

  const keys = await build()
  const same = await explain('m/top')
  expect(same).toMatchObject({ key: keys.top, against: { key: keys.top, changes: [] } })
  expect((await place.states(['explain', 'm/top'])).stdout).toMatch(/: nothing has changed since$/m)

  await writeIn(place, 'vm/helpers.ts', helpers('caddy'))
  const { stdout } = await place.states(['explain', 'm/top'])
  expect(stdout).toMatch(/^m\/top has the key .*: parent$/m)
  expect(stdout).toMatch(/^its parent: m\/site has the key .*: parent$/m)
  expect(stdout).toMatch(/^its parent: m\/base has the key .*: code \.\/helpers\.ts: NAME$/m)
  const top = await explain('m/top')
  expect(
    [top, top.parents[0], top.parents[0]?.parents[0]].map((each) => each && changed(each)),
  ).toEqual([['parent'], ['parent'], ['code ./helpers.ts: NAME']])

  const edited = STATES.replace('port: 80', 'port: 81').replace('128 MiB', '256 MiB')
  await writeIn(place, 'vm/states.ts', edited)
  const against = keys.base.slice(0, 10)
  expect(changed(await explain('m/base', '--against', against))).toEqual([
    'machine memory',
    'code ./helpers.ts: NAME',
  ])
  expect(changed(await explain('m/top'))).toEqual(['machine memory', 'parent', 'values port'])

  const unknown = await place.states(['explain', 'm/top', '--against', 'x'])
  expect(unknown).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('the store has no build with the key x'),
  })
  const ambiguous = await place.states(['explain', 'm/top', '--against', ''])
  expect(ambiguous).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('6 builds') })
})

test('states explain explains kept boots, and states of an environment by all its members', async () => {
  await makeProject(place, STATES)
  await writeIn(place, 'vm/helpers.ts', helpers('nginx'))
  const keys = await build()
  expect(await explain('m/site', 'booted')).toMatchObject({
    ...{ name: 'm/site booted', key: keys.booted, parents: [] },
    against: { key: keys.booted, changes: [] },
  })
  expect(await explain('lab/joined')).toMatchObject({
    ...{ name: 'lab/joined', key: keys.joined, parents: [] },
    against: { key: keys.joined, changes: [] },
  })

  await writeIn(place, 'vm/helpers.ts', helpers('caddy'))
  const booted = await explain('m/site booted')
  expect([changed(booted), booted.parents.map(({ name }) => name)]).toEqual([
    ['parent'],
    ['m/site'],
  ])
  const joined = await explain('lab/joined')
  expect(changed(joined)).toEqual(['parent', 'members a', 'members b'])
  expect(joined.parents.map((parent) => [parent.name, changed(parent)])).toEqual([
    ['m/site', ['parent']],
    ['m/base', ['code ./helpers.ts: NAME']],
  ])

  for (const args of [['m/site', 'warm'], ['disk.qcow2']]) {
    expect(await place.states(['explain', ...args])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`${args.join(' ')} is not the name of a state`),
    })
  }
})
