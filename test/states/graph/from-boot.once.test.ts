import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { backingOf } from '../../../src/backends/keep-disk.js'
import { image } from '../../../src/images/image.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { AnyState } from '../../../src/states/definitions/types.js'
import { buildAll } from '../../../src/states/graph/build-all.js'
import { ensure, ensureBoot } from '../../../src/states/graph/ensure.js'
import { planBuilds } from '../../../src/states/graph/plan-builds.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import type { StoredObject } from '../../../src/store/objects/manifest.js'
import { useStore } from './use-store.js'

const place = useStore()

/** Each boot leaves a mark of its own, in RAM and on the disk. */
const tiny = machine('tiny', {
  image: image.tiny(),
  memory: '96 MiB',
  ready: async (vm) => {
    await vm.$`cp /proc/sys/kernel/random/uuid /tmp/boot; cat /tmp/boot >> /boots; sync`
  },
})
const base = tiny.state('base', (vm) => vm.writeFile('/base', 'yes'))
const over = base.state('over', (vm) => vm.$`cp /tmp/boot /over`)
const inside = base.state('inside', () => {}, { backend: 'internal' })
const live = base.live('live', () => {})

async function objectOf(state: AnyState, made = ensure): Promise<StoredObject> {
  const { objects, release } = await made(state, place.context)
  await release()
  return (await place.context.store.objects.get(String(objects[0]))) as StoredObject
}

const disk = ({ directory }: StoredObject) => join(directory, 'vm/image.qcow2')

/** The content of a disk, as far as a text is in it. */
async function holds(file: string, text: string, snapshot: string[] = []): Promise<boolean> {
  const raw = join(place.root, 'content.raw')
  await promisify(execFile)('qemu-img', ['convert', '-O', 'raw', ...snapshot, file, raw])
  return (await readFile(raw)).includes(text)
}

describe('a child of a disk state', () => {
  const starts: (string | undefined)[] = []
  let boot = ''
  beforeAll(async () => {
    const asked = await Promise.all([ensure(over, place.context), ensureBoot(base, place.context)])
    for (const { release } of asked) await release()
    expect(place.built()).toEqual(['tiny/base', 'tiny/base booted', 'tiny/over'])
    await buildAll([inside, live], place.context, { boots: false })
    expect(place.built().slice(3).sort()).toEqual(['tiny/inside', 'tiny/live'])
    for (const event of place.events) {
      if (event.kind !== 'step' || !['start', 'boot'].includes(event.step)) continue
      starts.push(`${event.state} ${event.step} ${event.detail ?? ''}`.trim())
    }
    await using opened = await openMachines(live, place.context)
    boot = (await opened.handle().readFile('/tmp/boot')).trim()
    expect(await opened.handle().readFile('/boots')).toContain(boot)
  })

  it('is built from the kept boot where that is there, or was asked for as well', () => {
    expect(starts.slice(0, 4)).toEqual([
      'tiny/base start',
      'tiny/base boot',
      'tiny/base booted start',
      'tiny/base booted boot',
    ])
    expect(starts.slice(4).sort()).toEqual([
      'tiny/inside start from tiny/base booted',
      'tiny/live start from tiny/base booted',
      'tiny/over start from tiny/base booted',
    ])
  })

  it('holds what the boot wrote, and stands on the disk state', async () => {
    const parent = await objectOf(base)
    for (const state of [over, inside, live]) {
      const object = await objectOf(state)
      expect(object.manifest.parents).toEqual([parent.id])
      expect((await backingOf(disk(object)))?.file).toBe(disk(parent))
      expect(await holds(disk(object), boot), state.name).toBe(true)
    }
    expect(await holds(disk(parent), boot)).toBe(false)
    const snapshot = ['-l', 'snapshot.name=state']
    expect(await holds(disk(await objectOf(inside)), boot, snapshot)).toBe(true)
  })

  it('outlives the boot', async () => {
    const { store } = place.context
    const { id } = await objectOf(base, ensureBoot)
    await store.keys.remove((await place.context.bootKeyOf(base)).key)
    await store.objects.remove(id)
    await using opened = await openMachines(live, place.context)
    expect(await opened.handle().$`cat /base /boots`).toMatchObject({
      stdout: expect.stringContaining(boot),
    })
  })
})

it('is not built where its parent does not come up, which is tried once', async () => {
  const dead = machine('dead', {
    image: image.tiny(),
    memory: '96 MiB',
    ready: () => {
      throw new Error('no')
    },
    readyTimeout: 20_000,
  })
  const asked = [dead.root, dead.live('child', () => {})]
  const results = await buildAll(asked, place.context, { boots: true })
  expect(results.slice(-2)).toMatchObject([
    { name: 'dead/root booted', outcome: 'failed' },
    { name: 'dead/child', outcome: 'not built', because: 'dead/root booted' },
  ])
  const boots = place.events.filter((event) => event.kind === 'step' && event.step === 'boot')
  expect(boots.map(({ state }) => state)).toEqual(['dead/root booted'])
})

it('is built where the boot of its parent comes up and cannot be kept', async () => {
  const drive = ['-drive', 'if=none,id=null,format=raw,file=null-co://']
  const extraArgs = [...drive, '-device', 'nvme,drive=null,serial=1']
  const unsavable = machine('unsavable', { image: image.tiny(), memory: '96 MiB', extraArgs })
  const asked = [unsavable.root, unsavable.state('child', () => {})]
  const results = await buildAll(asked, place.context, { boots: true })
  expect(results).toMatchObject([
    { name: 'unsavable/root', outcome: 'image' },
    { name: 'unsavable/root booted', outcome: 'failed' },
    { name: 'unsavable/child', outcome: 'built' },
    { name: 'unsavable/child booted', outcome: 'failed' },
  ])
})

it('waits for the boot of its parent in a plan that has it', () => {
  const planned = planBuilds([over, base])
  expect(
    planned.map(({ name, startsFrom }) => [name, ...startsFrom.map((each) => each.name)]),
  ).toEqual([
    ['tiny/root'],
    ['tiny/base'],
    ['tiny/base booted'],
    ['tiny/over', 'tiny/base booted'],
    ['tiny/over booted'],
  ])
})
