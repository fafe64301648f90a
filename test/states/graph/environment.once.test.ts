import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { backingOf } from '../../../src/backends/keep-disk.js'
import { image } from '../../../src/images/image.js'
import { readQcow2Header } from '../../../src/qemu/qcow2/header.js'
import { exportOverlay } from '../../../src/states/catalogue/export-overlay.js'
import { removeState } from '../../../src/states/catalogue/remove-state.js'
import { environment } from '../../../src/states/definitions/environment.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { AnyState } from '../../../src/states/definitions/types.js'
import { ensure } from '../../../src/states/graph/ensure.js'
import { readMeta } from '../../../src/states/graph/state-meta.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import type { StoredObject } from '../../../src/store/objects/manifest.js'
import { useStore } from './use-store.js'

const place = useStore()

const alpha = machine('alpha', { image: image.tiny(), memory: '96 MiB' })
const warm = alpha.live('warm', (vm) => vm.writeFile('/tmp/warm', 'yes'))

const lab = environment('lab', { client: warm, server: warm })
const up = lab.live('up', async ({ client, server }) => {
  await server.writeFile('/tmp/seen', await client.readFile('/tmp/warm'))
  await client.writeFile('/tmp/name', 'client')
})
const joined = lab.state('joined', async ({ client, server }) => {
  await Promise.all([client.writeFile('/name', 'client'), server.writeFile('/name', 'server')])
})

async function objectOf(state: AnyState): Promise<StoredObject> {
  const { objects, release } = await ensure(state, place.context)
  await release()
  return (await place.context.store.objects.get(String(objects[0]))) as StoredObject
}

describe('a live state of an environment', () => {
  it('is built once, on states of its members, and restored with all that was in them', async () => {
    await using opened = await openMachines(up, place.context)
    expect(place.built()).toEqual(['alpha/warm', 'lab/up'])
    const vms = opened.handle()
    expect(await vms.server.readFile('/tmp/seen')).toBe('yes')
    await vms.client.$`rm /tmp/name`
    await opened.reset()
    const { client, server } = opened.handle()
    expect(await client.readFile('/tmp/name')).toBe('client')
    expect((await server.$({ reject: false })`cat /tmp/name`).exitCode).toBe(1)
    await expect(vms.server.ready()).rejects.toThrow('server can no longer be used: it was reset\n')
  })

  it('is one object that tells how long after each other its machines were stopped', async () => {
    const object = await objectOf(up)
    const meta = readMeta(object)
    expect(Object.keys(meta?.members ?? {})).toEqual(['client', 'server'])
    expect(meta?.skew).toBeGreaterThan(0)
    expect(meta?.skew).toBeLessThan(5000)
    expect(readMeta(await objectOf(warm))).not.toHaveProperty('skew')
    const log = await readFile(join(object.directory, 'build.log'), 'utf8')
    expect(log).toContain('The serial console of client:')
    expect(log).toContain('The serial console of server:')
  })

  it('starts all machines anew when one of them has ended', async () => {
    await using opened = await openMachines(up, place.context)
    const before = opened.processes.map(({ pid }) => pid)
    await opened.handle().server.shutdown()
    await opened.reset()
    expect(await opened.handle().server.readFile('/tmp/seen')).toBe('yes')
    expect(opened.processes.filter(({ pid }) => before.includes(pid))).toEqual([])
  })
})

describe('a disk state of an environment', () => {
  it('is exported as an overlay for each member, and removed with what stands on it', async () => {
    const { directory } = await objectOf(joined)
    const output = join(place.root, 'exported', 'lab.qcow2')
    const files = await exportOverlay(joined, output, place.context)
    expect(files).toEqual(
      ['client', 'server'].map((member) => output.replace('.q', `-${member}.q`)),
    )
    expect((await backingOf(files[1] ?? ''))?.file).toBe(join(directory, 'server/image.qcow2'))
    const { backingFile } = await readQcow2Header(join(directory, 'server/image.qcow2'))
    expect(backingFile, 'so that the store can be moved').toMatch(/^\.\.\/\.\.\/[^/]+\/vm\/image/)
    await expect(removeState(warm, place.context)).rejects.toMatchObject({
      code: 'STATE_HAS_CHILDREN',
      message: expect.stringContaining('lab/joined'),
    })
    await expect(removeState(joined, place.context)).rejects.toMatchObject({
      code: 'OBJECT_IN_USE',
    })
    for (const file of files) await rm(file)
    expect(await removeState(joined, place.context)).toBe('removed')
  })

  it('is booted as one, which is kept', async () => {
    const kept = environment('kept', { a: warm, b: warm }).state('quiet', () => {})
    await using booted = await openMachines(kept, place.context)
    expect(place.built()).toEqual(['kept/quiet', 'kept/quiet booted'])
    const { a, b } = booted.handle()
    await Promise.all([a.$`true`, b.$`true`])
    expect([a.state, a.liveness]).toEqual(['quiet', 'disk'])
  })
})

describe('a build of an environment that fails', () => {
  const saved = environment('broken', { client: warm, server: warm })
  const cases: [what: string, state: AnyState, says: RegExp][] = [
    [
      'since one guest cannot shut down',
      saved.state('lasting', ({ server }) => server.$`ln -sf /bin/false /sbin/shutdown`),
      /^broken\/lasting could not be built: the machine could not be captured: /,
    ],
    [
      'since the disk of one machine is gone',
      saved.state('lost', async () => {
        const { directory } = await place.context.run()
        const client = (await readdir(directory)).find((name) => name.startsWith('client-'))
        await rm(join(directory, String(client), 'disks/image.qcow2'))
      }),
      /^broken\/lost could not be built: the machine could not be captured: .*client.* does not exist/,
    ],
    [
      'since one machine of a live state has ended',
      saved.live('ended', ({ client }) => client.shutdown()),
      /^broken\/ended could not be built: the machine could not be captured: /,
    ],
  ]

  it.each(cases)('%s leaves nothing of any machine', async (_, state, says) => {
    const before = await place.leftBehind()
    await expect(ensure(state, place.context)).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringMatching(says),
    })
    expect(await place.leftBehind()).toEqual(before)
  })
})
