import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { image } from '../../../src/images/image.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { State } from '../../../src/states/definitions/types.js'
import { ensure } from '../../../src/states/graph/ensure.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { useStore } from './use-store.js'

const place = useStore()

const tiny = machine('tiny', { image: image.tiny(), memory: '128 MiB' })
const page = tiny.state('page', (vm) => vm.writeFile('/page', 'hello'))
const live = page.live('live', (vm) => vm.writeFile('/tmp/live', 'warm'))
const child = live.live('child', (vm) => vm.writeFile('/tmp/child', 'warmer'))

describe('ensure()', () => {
  it('builds a chain once for all who ask at the same moment, and then no more', async () => {
    const other = await place.open()
    const states = await Promise.all([ensure(live, place.context), ensure(live, other)])
    expect(states[0].objects).toEqual(states[1].objects)
    expect(place.built()).toEqual(['tiny/page', 'tiny/live'])
    const again = await ensure(live, other)
    expect(place.built()).toHaveLength(2)
    await Promise.all([...states, again].map((state) => state.release()))
    await other.close()
  })

  it('builds live states on live states, with what their RAM held', async () => {
    await using opened = await openMachines(child, place.context)
    const vm = opened.handle()
    const { stdout } = await vm.$`cat /page /tmp/live /tmp/child`
    expect(stdout).toBe('hellowarmwarmer')
  })

  it('keeps the log of a build with the state', async () => {
    const { objects, release } = await ensure(page, place.context)
    const log = await readFile(join(place.root, 'objects', String(objects[0]), 'build.log'), 'utf8')
    expect(log).toMatch(/^tiny\/page, .*\n.* start\n.* boot\n.* setup\n.* capture\n/)
    expect(log).toContain('vm-states tiny guest ready')
    await release()
  })

  it('refuses a state that is missing where builds are off, and changes nothing', async () => {
    const missing = tiny.state('missing', () => {})
    const before = await place.leftBehind()
    await using never = await place.open({ build: 'never' })
    await expect(ensure(missing, never)).rejects.toMatchObject({
      code: 'STATE_NOT_BUILT',
      message: expect.stringContaining(`tiny/missing is not in the store ${place.root}`),
      hint: expect.stringMatching(/Build it with: states build tiny\/missing$/),
    })
    expect(await place.leftBehind()).toEqual(before)
  })
})

describe('a build that fails', () => {
  const cases: [what: string, state: State, says: RegExp][] = [
    [
      'by its setup',
      page.state('failing', (vm) => vm.$`echo on its way; ls /nowhere`),
      /^tiny\/failing could not be built: its setup failed: .*ls \/nowhere/,
    ],
    [
      'by an error of its own',
      page.state('throwing', () => {
        throw new Error('not today')
      }),
      /^tiny\/throwing could not be built: its setup failed: not today/,
    ],
    [
      'by a setup that takes too long',
      page.live('slow', (vm) => vm.$`sleep 60`, { timeout: 500 }),
      /^tiny\/slow could not be built: its setup failed: .* did not end within 500 ms/,
    ],
    [
      'by a guest that does not shut down in time',
      page.state('lasting', () => {}, { shutdownTimeout: 1 }),
      /^tiny\/lasting could not be built: the machine could not be captured: /,
    ],
  ]

  it.each(cases)('%s says so, and leaves nothing but its log', async (_, state, says) => {
    const before = await place.leftBehind()
    const error = await ensure(state, place.context).catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'BUILD_FAILED', message: expect.stringMatching(says) })
    expect(error).toMatchObject({ message: expect.stringContaining('vm-states tiny guest ready') })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect((error as Error).message).not.toMatch(/[\x00-\x09\x0b-\x1f]/)
    const path = /The whole log: (.*)$/.exec((error as Error).message)?.[1]
    expect(await readFile(String(path), 'utf8')).toContain('The serial console of tiny:\n')
    expect(await place.leftBehind()).toEqual(before)
  })

  it('by a command shows what the command said', async () => {
    const mistyped = page.state('mistyped', (vm) => vm.$`mkdirr /srv`)
    await expect(ensure(mistyped, place.context)).rejects.toThrow(
      /stderr: \/bin\/sh: mkdirr: not found\n {2}\| {3}exit code 127 after/,
    )
  })

  it('by being cancelled is only that', async () => {
    const before = await place.leftBehind()
    const controller = new AbortController()
    const cancelled = page.state(
      'cancelled',
      async (vm) => {
        controller.abort(new Error('enough'))
        await vm.$`sleep 60`
      },
      { inputs: { values: { controller: 'ends the build' } } },
    )
    await expect(
      ensure(cancelled, place.context, { signal: controller.signal }),
    ).rejects.toMatchObject({
      code: 'ABORTED',
    })
    expect(await place.leftBehind()).toEqual(before)
  })
})
