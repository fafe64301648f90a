import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { image } from '../../../src/images/image.js'
import { describeState } from '../../../src/states/catalogue/describe-state.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { State } from '../../../src/states/definitions/types.js'
import { Context } from '../../../src/states/graph/context.js'
import { ensure } from '../../../src/states/graph/ensure.js'
import type { StoredObject } from '../../../src/store/objects/manifest.js'
import { fabricate, grow } from '../../support/fabricated-state.js'
import { makeStoreWithTiny } from '../../support/store-with-tiny.js'

const DAY = 86_400_000

const tiny = machine('tiny', { image: image.tiny(), memory: '128 MiB' })
const base = tiny.state('base', (vm) => vm.writeFile('/base', 'base'))
const weekly = base.state('weekly', (vm) => vm.writeFile('/weekly', 'w'), { maxAge: '7 days' })
const middle = weekly.state('middle', (vm) => vm.writeFile('/middle', 'm'))
const top = middle.state('top', (vm) => vm.writeFile('/top', 't'))

let root: string
let context: Context
let objects: Record<'base' | 'weekly' | 'middle' | 'top', StoredObject>

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'vms-fresh-'))
  context = await Context.open({ store: root, label: 'test' })
  const old = { age: 6 * DAY }
  const first = await fabricate(base, context, { age: 600 * DAY })
  const second = await fabricate(weekly, context, { parents: [first], ...old })
  const third = await fabricate(middle, context, { parents: [second], ...old })
  const fourth = await fabricate(top, context, { parents: [third], ...old })
  objects = { base: first, weekly: second, middle: third, top: fourth }
})
afterEach(async () => {
  await context.close()
  await rm(root, { recursive: true, force: true })
})

/** The states that count as built, for a process that starts now. */
async function built(): Promise<string[]> {
  await using now = await Context.open({ store: root, label: 'test' })
  const states: State[] = [base, weekly, middle, top]
  const described = await Promise.all(states.map((state) => describeState(state, now)))
  return described.flatMap(({ name, stored }) => (stored === undefined ? [] : name.slice(5)))
}

test('a state is there until it is older than its maxAge, and so are those that stand on it', async () => {
  expect(await built()).toEqual(['base', 'weekly', 'middle', 'top'])
  await grow(objects.weekly, 8 * DAY)
  expect(await built()).toEqual(['base'])
})

test('a process goes on with a state that runs out meanwhile, and the next one does not', async () => {
  await using now = await Context.open({ store: root, label: 'test' })
  await grow(objects.weekly, Date.now() - now.openedAt + 7 * DAY - 1)
  expect((await describeState(top, now)).stored).toBeDefined()
  expect(await built()).toEqual(['base'])
})

test('where builds are off, the error says what is out of date and why', async () => {
  await using never = await Context.open({ store: root, build: 'never', label: 'test' })
  const refused = (state: State, reason: string) =>
    expect(ensure(state, never)).rejects.toMatchObject({
      code: 'STATE_NOT_BUILT',
      message: expect.stringContaining(
        `tiny/${state.name} in the store ${root} is out of date: ${reason}\n`,
      ),
      hint: expect.stringMatching(/Build it with: states build tiny\/\w+$/),
    })
  await grow(objects.weekly, 8 * DAY)
  await refused(weekly, 'tiny/weekly is older than its maxAge of 7 days')
  await refused(top, 'tiny/weekly is older than its maxAge of 7 days')
  await fabricate(weekly, context, { parents: [objects.base] })
  await refused(top, 'tiny/weekly was built anew or removed since')
})

test('what stands on a state that was built anew since is missing', async () => {
  await fabricate(weekly, context, { parents: [objects.base] })
  expect(await built()).toEqual(['base', 'weekly'])
  await fabricate(base, context)
  expect(await built()).toEqual(['base', 'weekly'])
})

test('a state that is too old is built anew, once, and what stands on it too', async () => {
  const store = join(root, 'with-tiny')
  await makeStoreWithTiny(store)
  const daily = tiny.state('daily', (vm) => vm.writeFile('/daily', 'd'), { maxAge: '1 day' })
  const child = daily.state('child', (vm) => vm.writeFile('/child', 'c'))
  await using before = await Context.open({ store, label: 'test' })
  const old = await fabricate(daily, before, { age: 2 * DAY })
  await fabricate(child, before, { parents: [old] })

  const reports: string[] = []
  await using now = await Context.open({
    store,
    label: 'test',
    onBuildEvent: (event) => event.kind === 'built' && reports.push(event.state),
  })
  const available = await ensure(child, now)
  await available.release()
  expect(reports).toEqual(['tiny/daily', 'tiny/child'])
  await using later = await Context.open({ store, build: 'never', label: 'test' })
  const again = await ensure(child, later)
  await again.release()
  expect(again.objects).toEqual(available.objects)
})
