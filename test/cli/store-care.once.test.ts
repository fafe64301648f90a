import {
  cp,
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { beforeEach, describe, expect, test } from 'vitest'
import { loadModule } from '../../src/params/load-module.js'
import type { State } from '../../src/states/definitions/types.js'
import { Context } from '../../src/states/graph/context.js'
import type { StoredObject } from '../../src/store/objects/manifest.js'
import { openStore } from '../../src/store/store.js'
import { fabricate } from '../support/fabricated-state.js'
import { json, useWorkplace } from './states-command.js'

const place = useWorkplace()

const statesFile = (machine: string, more = '') => `
import { image, machine } from 'vitest-vm-states/states'

const blank = machine('${machine}', { image: image.blank('1 MiB') })
export const one = blank.state('one', () => {})
export const two = one.state('two', () => {})
${more}
`

/** A project with states of a blank disk, as nobody would boot it. */
async function writeProject(name: string, machine: string, more?: string): Promise<string> {
  const directory = place.path(name)
  const files = {
    'package.json': '{ "type": "module" }',
    'states.config.ts': `export default { states: './states.ts', store: '../store' }`,
    'states.ts': statesFile(machine, more),
  }
  await mkdir(join(directory, 'node_modules'), { recursive: true })
  await symlink(
    resolve(import.meta.dirname, '../..'),
    join(directory, 'node_modules/vitest-vm-states'),
  )
  for (const [file, text] of Object.entries(files)) await writeFile(join(directory, file), text)
  return directory
}

let project: string
let store: string
let disk: Buffer
let objects: Record<'one' | 'boot' | 'two', StoredObject>

beforeEach(async () => {
  project = await writeProject('alpha', 'alpha')
  store = place.path('store')
  const file = place.path('disk.qcow2')
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', file, '1M'])
  await execa('qemu-io', ['-f', 'qcow2', '-c', 'write -P 7 0 256k', file])
  disk = await readFile(file)
  objects = await withStates(project, async ({ one, two }, context) => {
    const first = await fabricate(one, context, { disk })
    const boot = await fabricate(one, context, { disk, parents: [first], boot: true })
    const second = await fabricate(two, context, { disk, parents: [first] })
    return { one: first, boot, two: second }
  })
})

async function withStates<Result>(
  directory: string,
  use: (
    states: Record<string, State> & { one: State; two: State },
    context: Context,
  ) => Promise<Result>,
): Promise<Result> {
  const states = await loadModule(join(directory, 'states.ts'))
  await using context = await Context.open({ store, label: 'test' })
  return await use(states as { one: State; two: State }, context)
}

const run = (args: readonly string[], cwd = project) => place.states(args, { cwd })

interface View {
  name: string
  kind: string
  parents: string[]
  status: string
  size?: number
  sharedSize?: number
  lastUsedAt?: string
}

const list = async (cwd?: string) =>
  (json(await run(['list', '--json'], cwd)) as { states: View[] }).states

const statuses = async (cwd?: string) =>
  (await list(cwd)).map(({ name, status }) => `${name} ${status}`)

const used = ({ directory }: StoredObject, at: Date) =>
  utimes(join(directory, 'manifest.json'), at, at)

const LONG_AGO = new Date('2020-02-02T02:02:02Z')

describe('states list', () => {
  test('shows own and shared sizes on the disk, and the last use', async () => {
    await used(objects.two, LONG_AGO)
    const { stdout } = await execa('du', ['-B1', '-S', objects.one.directory])
    const own = Number(stdout.split('\t')[0])
    const states = await list()
    expect(states.map(({ name }) => name)).toEqual([
      'alpha/root',
      'alpha/one',
      'alpha/one booted',
      'alpha/two',
    ])
    // A directory takes a block too on most filesystems.
    expect(own - Number(states[1]?.size)).toBeLessThanOrEqual(4096)
    expect(states[1]?.size).toBeLessThan(disk.length + 3 * 4096)
    expect(states[1]?.sharedSize).toBe(0)
    expect(states[2]?.sharedSize).toBe(states[1]?.size)
    expect(states[3]?.lastUsedAt).toBe(LONG_AGO.toJSON())
    expect(states.map(({ kind, parents }) => [kind, ...parents])).toEqual([
      ['image'],
      ['disk', 'alpha/root'],
      ['boot', 'alpha/one'],
      ['disk', 'alpha/one'],
    ])
    const table = await run(['list'])
    expect(table.stdout).toMatch(/ BUILT ON +LAST USED +OWN +SHARED +RAM \(ON DISK\)\n/)
    expect(table.stdout).toMatch(/^alpha\/two .* 2020-02-02 .* KiB +[\d.]+ KiB +-$/m)
  })
})

describe('two projects', () => {
  test('share equal states without knowing of each other', async () => {
    const other = await writeProject(
      'beta',
      'beta',
      `export const three = two.state('three', () => {})`,
    )
    expect(await statuses(other)).toEqual([
      'beta/root image',
      'beta/one built',
      'beta/one booted built',
      'beta/two built',
      'beta/three not built',
    ])
    await withStates(other, (states, context) =>
      fabricate(states.three as State, context, { disk, parents: [objects.two] }),
    )
    // Garbage collection of one project does not count the states of the other as garbage.
    expect(json(await run(['gc', '--json']))).toMatchObject({ removed: [] })
    expect(await list()).toContainEqual(
      expect.objectContaining({ name: 'beta/three', parents: ['alpha/two'], status: 'stored' }),
    )
    const refused = await run(['unset', 'alpha/two'])
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('alpha/two cannot be removed: beta/three stands on it'),
    })
  })
})

describe('states unset', () => {
  test('looks at all that would go before it removes anything, and names it', async () => {
    const overlay = place.path('overlay.qcow2')
    await writeFile(overlay, '')
    await using opened = await openStore(store)
    await opened.pin(objects.two.id, overlay)
    const before = await statuses()
    expect(await run(['unset', 'alpha/one', '--with-children'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(
        `alpha/one with alpha/two cannot be removed: ${overlay} stands on it`,
      ),
    })
    expect(await run(['unset', 'alpha/two'])).toMatchObject({
      stderr: expect.stringContaining(`alpha/two cannot be removed: ${overlay} stands on it`),
    })
    expect(await statuses()).toEqual(before)
    await rm(overlay)
    expect((await run(['unset', 'alpha/one', '--with-children'])).exitCode).toBe(0)
    expect(await readdir(join(store, 'objects'))).toEqual([])
    expect(await readdir(join(store, 'keys'))).toEqual([])
  })

  test('removes a kept boot by itself, by the name that the list shows', async () => {
    expect(await run(['check', 'alpha/one booted'])).toMatchObject({
      exitCode: 0,
      stdout: 'alpha/one booted is there',
    })
    expect(await run(['unset', 'alpha/one', 'booted'])).toMatchObject({
      exitCode: 0,
      stdout: 'alpha/one booted is removed from the store',
    })
    expect(await statuses()).toEqual(['alpha/root image', 'alpha/one built', 'alpha/two built'])
    expect(await run(['unset', 'alpha/one booted'])).toMatchObject({
      stdout: 'alpha/one booted is not in the store',
    })
    expect(await run(['get', 'alpha/one', 'booted', '--output', 'x.qcow2'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('error STATE_IS_LIVE: alpha/one booted is a live state'),
    })
  })
})

describe('states gc and verify', () => {
  test('tell what goes and why, what is damaged, and how to mend it', async () => {
    await used(objects.boot, LONG_AGO)
    const dry = await run(['gc', '--dry-run', '--max-size', '1 TiB'])
    expect(dry.stdout).toMatch(
      /^REMOVED +SIZE +LAST USED +WHY\nalpha\/one booted +[\d.]+ KiB +2020-02-02 \S+ +not used for 30 days\nwould free [\d.]+ KiB; what stays takes [\d.]+ MiB of at most 1 TiB$/,
    )
    expect(
      json(await run(['gc', '--json', '--max-age', '9000 days', '--max-size', '1'])),
    ).toMatchObject({
      removed: [
        { name: 'alpha/one booted', why: 'size' },
        { name: 'alpha/two' },
        { name: 'alpha/one' },
      ],
      kept: [],
      size: 0,
      maxSize: 1,
    })
    expect((await run(['gc', '--max-age', '1 month'])).stderr).toContain(
      'error INVALID_VALUE: --max-age is "1 month": a duration is ',
    )
    const state = await withStates(project, ({ one }, context) => fabricate(one, context, { disk }))
    expect((await run(['verify'])).stdout).toBe(
      '1 of 1 objects are sound\n1 were read for the first time: a change of content before now is not seen',
    )
    const file = await open(join(state.directory, 'image.qcow2'), 'r+')
    await file.write(Buffer.from('X'), 0, 1, disk.length - 100)
    await file.close()
    expect((await run(['verify', 'alpha/one', 'booted'])).stderr).toContain(
      'has no alpha/one booted',
    )
    const damaged = await run(['verify', 'alpha/one'])
    expect(damaged.exitCode).toBe(3)
    expect(damaged.stdout).toContain('alpha/one is damaged: image.qcow2 has changed\n')
    expect(damaged.stdout).toContain('states unset alpha/one --with-children')
    expect((await run(['verify', 'alpha/tow'])).exitCode).toBe(1)
    expect((await run(['unset', 'alpha/one', '--with-children'])).exitCode).toBe(0)
    expect(json(await run(['verify', '--json']))).toEqual({ store, objects: [] })
  })
})

test('a store of a newer version is refused by every command, and left as it is', async () => {
  await writeFile(join(store, 'store.json'), '{"format":2}')
  const copy = place.path('copy')
  await cp(store, copy, { recursive: true, preserveTimestamps: true })
  const commands = [
    ['list'],
    ['gc'],
    ['verify'],
    ['build'],
    ['graph'],
    ['unset', 'alpha/one', '--with-children'],
    ['get', 'alpha/one', '--output', 'x.qcow2'],
  ]
  for (const command of commands) {
    expect(await run(command)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`error STORE_NEWER: the store ${store} has format 2; `),
    })
  }
  await execa('diff', ['-r', copy, store])
})
