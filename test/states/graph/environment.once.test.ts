import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { image } from '../../../src/images/image.js'
import { environment } from '../../../src/states/definitions/environment.js'
import { machine } from '../../../src/states/definitions/machine.js'
import { Context } from '../../../src/states/graph/context.js'
import { ensure } from '../../../src/states/graph/ensure.js'
import type { BuildEvent } from '../../../src/states/graph/progress.js'
import { readMeta } from '../../../src/states/graph/state-meta.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { makeStoreWithTiny } from '../../support/store-with-tiny.js'

let root: string
let context: Context
const events: BuildEvent[] = []

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'vms-environment-'))
  await makeStoreWithTiny(root)
  context = await Context.open({
    store: root,
    label: 'test',
    onBuildEvent: (event) => events.push(event),
  })
}, 120_000)
afterAll(async () => {
  await context.close()
  await rm(root, { recursive: true, force: true })
})
beforeEach(() => {
  events.length = 0
})

const options = { image: image.tiny(), memory: '96 MiB' } as const
const alpha = machine('alpha', options)
const beta = machine('beta', { ...options, boot: 'cold' })
const page = alpha.state('page', (vm) => vm.writeFile('/page', 'hello'))
const warm = alpha.live('warm', (vm) => vm.writeFile('/tmp/warm', 'yes'))

const lab = environment('lab', { client: page, server: alpha, warm })
const joined = lab.state('joined', async ({ client, server, warm }) => {
  await server.writeFile(
    '/seen',
    `${await client.readFile('/page')} ${await warm.readFile('/tmp/warm')}`,
  )
  await client.writeFile('/joined', client.machine)
})
const up = joined.live('up', async ({ client, server }) => {
  await Promise.all([client.writeFile('/tmp/up', 'c'), server.writeFile('/tmp/up', 's')])
})
const cold = environment('mixed', { alpha, beta }).state('cold', () => {})

const built = () => events.flatMap((event) => (event.kind === 'built' ? [event.state] : []))

describe('an environment', () => {
  it('is built once, on states of its members, and restored with all that was in them', async () => {
    const before = (await context.run()).directory
    {
      await using opened = await openMachines(up, context, { purpose: 'test' })
      expect(built().slice(-2)).toEqual(['lab/joined', 'lab/up'])
      expect(built()).toHaveLength(4)
      const { client, server, warm } = opened.handle()
      const read = [
        client.readFile('/joined'),
        server.readFile('/seen'),
        server.readFile('/tmp/up'),
        warm.liveness,
      ]
      expect(await Promise.all(read)).toEqual(['alpha', 'hello yes', 's', 'live'])
      await client.$`rm /joined; sync`
      await opened.reset()
      expect(await opened.handle().client.readFile('/joined')).toBe('alpha')
    }
    expect(await readdir(before)).toEqual(
      expect.not.arrayContaining([expect.stringMatching(/^client/)]),
    )
  })
  it('keeps the skew', async () => {
    const { objects, release } = await ensure(up, context)
    const object = await context.store.objects.get(String(objects[0]))
    expect(object && readMeta(object)?.skew).toBeGreaterThan(0)
    await release()
  })
  it('boots', async () => {
    await using opened = await openMachines(joined, context, { purpose: 'test' })
    expect(built()).toEqual(['lab/joined booted'])
    expect(await opened.handle().server.readFile('/seen')).toBe('hello yes')
  })
  it('boots cold', async () => {
    await using opened = await openMachines(cold, context, { purpose: 'test' })
    expect(built()).toEqual(['mixed/cold'])
    await opened.handle().beta.$`true`
  })
})
