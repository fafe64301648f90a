import { beforeAll, describe, expect, it } from 'vitest'
import { image } from '../../../src/images/image.js'
import { environment } from '../../../src/states/definitions/environment.js'
import { machine } from '../../../src/states/definitions/machine.js'
import { buildAll } from '../../../src/states/graph/build-all.js'
import type { Context } from '../../../src/states/graph/context.js'
import { ensure } from '../../../src/states/graph/ensure.js'
import { captureMoment } from '../../../src/states/kept/keep-machines.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { otherQemu } from '../../support/other-qemu.js'
import { useStore } from './use-store.js'

const place = useStore()

const tiny = machine('tiny', { image: image.tiny(), memory: '96 MiB' })
const site = tiny.state('site', (vm) => vm.writeFile('/site', 'yes'))
const serving = site.live('serving', (vm) => vm.$`cp /site /tmp/serving; echo served >> /log`)
const loaded = serving.live('loaded', (vm) => vm.$`cat /tmp/serving /log > /tmp/loaded`)
const never = site.live('never', () => {})
const lab = environment('lab', { web: loaded }).live('up', async ({ web }) => {
  await web.$`cp /tmp/loaded /tmp/up`
})

const notices = () => place.events.flatMap((event) => (event.kind === 'notice' ? [event] : []))

describe('live states that were made with another QEMU', () => {
  let qemu: string
  beforeAll(async () => {
    const built = await buildAll([site, loaded, lab], place.context)
    expect(built.map(({ outcome }) => outcome)).not.toContain('failed')
    qemu = await otherQemu(place.root)
    // What somebody has kept is of no build, whatever it is called.
    await using opened = await openMachines(serving, place.context)
    const moment = await captureMoment(opened, place.context, { timeout: 60_000 })
    await moment.commit('kept', 'serving')
  })

  const withOther = (build: Context['build']) => place.open({ qemu, build })

  it('are made up for by the nearest disk state where nothing is built, which is told once', async () => {
    await using context = await withOther('never')
    await using opened = await openMachines(loaded, context)
    expect(await opened.handle().readFile('/tmp/loaded')).toBe('yesserved\n')
    expect(place.built()).toEqual([])
    const version = (await place.context.emulatorOf(tiny)).version
    expect(notices()).toEqual([
      {
        kind: 'notice',
        about: 'stale',
        state: 'tiny',
        text: expect.stringMatching(
          new RegExp(
            `^this is QEMU 9\\.9\\.9 \\(.*\\): 3 live states of tiny made with QEMU ${version} .* took [\\d.]+ s$`,
          ),
        ),
      },
      {
        kind: 'notice',
        about: 'fallback',
        state: 'tiny/loaded',
        text: expect.stringContaining(
          'starts from tiny/site and runs the setup of tiny/serving, tiny/loaded again, which took',
        ),
      },
    ])
  })

  it('are made up for in each member of an environment, and as the boots of disk states', async () => {
    await using context = await withOther('never')
    await using opened = await openMachines(lab, context)
    expect(await opened.handle().web.readFile('/tmp/up')).toBe('yesserved\n')
    await using booted = await openMachines(site, context)
    expect(await booted.handle().readFile('/site')).toBe('yes')
    const fallbacks = notices().filter(({ about }) => about === 'fallback')
    expect(fallbacks.map(({ text }) => text.replace(/^.*: each/, 'each'))).toEqual([
      expect.stringMatching(
        /^each test on it starts from lab and runs the setup of tiny\/serving, /,
      ),
      expect.stringMatching(/^each test on it boots tiny\/site again, which took/),
    ])
  })

  it('are no excuse for what was never built, nor where the disk state is not there', async () => {
    await using context = await withOther('never')
    await expect(openMachines(never, context)).rejects.toMatchObject({
      code: 'STATE_NOT_BUILT',
      message: expect.stringMatching(/^tiny\/never is not in the store/),
    })
    const { key } = await place.context.keyOf(site)
    const id = String(await place.context.store.keys.idOf(key))
    await place.context.store.keys.remove(key)
    await expect(openMachines(serving, context)).rejects.toMatchObject({
      code: 'STATE_NOT_BUILT',
      message: expect.stringMatching(/^tiny\/serving is not in the store/),
    })
    await place.context.store.keys.point(key, id)
  })

  it('are made again where states are built, and told with what that takes', async () => {
    await using context = await withOther('missing')
    await (await ensure(serving, context)).release()
    expect(place.built()).toEqual(['tiny/serving'])
    expect(notices().map(({ about }) => about)).toEqual(['stale'])
  })
})
