import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { image } from '../../../src/images/image.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { State } from '../../../src/states/definitions/types.js'
import type { BuildError } from '../../../src/states/graph/build-error.js'
import { ensure } from '../../../src/states/graph/ensure.js'
import { FailedBuilds } from '../../../src/states/graph/failed-builds.js'
import { SharedNotes } from '../../../src/store/notes/shared-notes.js'
import { useStore } from './use-store.js'

const place = useStore()

const failureOf = (state: State, where = place.context): Promise<BuildError> =>
  ensure(state, where).then(
    () => expect.unreachable(),
    (error) => error,
  )

const screened = machine('screened', {
  image: image.tiny(),
  memory: '128 MiB',
  extraArgs: ['-device', 'VGA'],
})

let broken = true
const flaky = screened.live('flaky', async (vm) => {
  await vm.$`echo one; echo two >&2`
  await vm.exec('printf', ['colour%s', 'a b'])
  await vm.$({ reject: false })`exit 3`
  await vm.$`head -c 200000 /dev/zero | tr '\0' x`
  if (!broken) return
  void vm.$`echo on its way; sleep 60`.catch(() => {})
  await vm.$`echo the end > /dev/console; echo why >&2; exit 7`
})

const serving = flaky.live('serving', () => {})

const odd = machine('odd', { image: image.tiny(), memory: '128 MiB' })
const thrown = Object.assign(Object.create(null), { code: 5 })
const throwing = odd.live('throwing', () => Promise.reject(thrown))
const ending = odd.live('ending', async (vm) => {
  await vm.shutdown()
})

/** With the figures that differ each time taken out. */
const plain = (text: string) => text.replace(/\d+\.\d s/g, 'N s').replace(/x{9,}/g, 'xx')

it('leaves each command with its output, the console, and what the display shows', async () => {
  const { failure, message, cause } = await failureOf(flaky)
  const log = join(place.root, 'logs/screened/flaky.log')
  const picture = join(place.root, 'logs/screened/flaky.png')
  expect(failure).toMatchObject({ state: 'screened/flaky', log, screens: [picture] })

  const text = plain(await readFile(log, 'utf8'))
  expect(text).toMatch(/^screened\/flaky, .*\nN s: start\nN s: boot\nN s: setup\n/)
  const commands = [
    'N s: $ echo one; echo two >&2',
    '  | one',
    '  | stderr: two',
    '  exit code 0 after N s',
    "N s: $ printf colour%s 'a b'",
    '  | coloura b',
    '  exit code 0 after N s',
    'N s: $ exit 3',
    '  exit code 3 after N s',
    "N s: $ head -c 200000 /dev/zero | tr '\\0' x",
    '  | xx',
    '  | [134464 characters left out]',
    '  | xx',
    '  exit code 0 after N s',
    'N s: $ echo on its way; sleep 60',
    '  had not ended by then',
    'N s: $ echo the end > /dev/console; echo why >&2; exit 7',
    '  | stderr: why',
    '  exit code 7 after N s',
    'N s: CommandError: Command failed with exit code 7: ',
  ]
  expect(text).toContain(commands.join('\n'))
  // The guest's shell writes its prompt when it comes up: before this, after it, or in the same line.
  const [, serial, screen] = text.split(/\nThe .* of screened.*:\n/)
  expect(serial).toMatch(/^SeaBIOS (.*\n)+.*the end(\n|$)/)
  expect(screen).toMatch(/^(.*\n)+.*the end(\n|$)/)
  expect(screen?.split('\n').length).toBeLessThanOrEqual(26)
  expect((await readFile(picture)).subarray(1, 4).toString()).toBe('PNG')

  expect(plain(message)).toMatch(
    /^screened\/flaky could not be built: its setup failed: Command failed with exit code 7: .*\n/,
  )
  expect(plain(message)).toContain('  | N s: $ echo the end')
  expect(message).toContain(`Its last screen: ${picture}\n  The whole log: ${log}`)
  expect(cause).toMatchObject({ name: 'CommandError', exitCode: 7 })
  expect(place.events.at(-1)).toMatchObject({ kind: 'failed', state: 'screened/flaky', log })
})

it('is told to all of a run, and to what stands on it, and not tried again until it is forgotten', async () => {
  const directory = join(place.root, 'run')
  await using first = await place.open({ failures: new FailedBuilds(new SharedNotes(directory)) })
  await using second = await place.open({ failures: new FailedBuilds(new SharedNotes(directory)) })
  const { failure } = await failureOf(flaky, first)
  const before = place.events.length

  const again = await failureOf(serving, second)
  expect(place.events).toHaveLength(before)
  expect(again.failure).toEqual(failure)
  expect(again.message).toMatch(
    /^screened\/serving could not be built, since screened\/flaky could not be built: its setup /,
  )
  expect(again.cause).toMatchObject({ name: 'CommandError', message: /exit code 7/ })

  broken = false
  second.failures.forget(failure.key)
  await (await ensure(flaky, first)).release()
  expect(place.events.at(-1)).toMatchObject({ kind: 'built', state: 'screened/flaky' })
  expect(await readdir(join(place.root, 'logs/screened'))).toEqual([])
})

it('says what a setup threw that is no error, and that it ended the machine of a live state', async () => {
  const failures = await Promise.all([failureOf(throwing), failureOf(ending)])
  expect(failures.map(({ failure }) => failure?.reason)).toEqual([
    'its setup failed: [Object: null prototype] { code: 5 }',
    'the machine could not be captured: odd has ended, and a live state is of a machine that runs',
  ])
  expect(failures[0]?.cause).toBe(thrown)
})
