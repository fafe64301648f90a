import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backingOf } from '../../../src/backends/keep-disk.js'
import { image } from '../../../src/images/image.js'
import { describeState, describeWithBoot } from '../../../src/states/catalogue/describe-state.js'
import { exportOverlay } from '../../../src/states/catalogue/export-overlay.js'
import { objectSizes } from '../../../src/states/catalogue/object-sizes.js'
import { removeState } from '../../../src/states/catalogue/remove-state.js'
import { machine } from '../../../src/states/definitions/machine.js'
import { DETAILS } from '../../../src/states/definitions/types.js'
import { Context } from '../../../src/states/graph/context.js'
import { ensure } from '../../../src/states/graph/ensure.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { tinyGuest } from '../../support/tiny.js'

let directory: string
let context: Context

/** A machine on a user's own image, at two paths. */
async function makeMachines() {
  const { disk, directKernel } = await tinyGuest()
  const { kernel, initrd, append } = directKernel
  const define = async (name: string) => {
    const path = join(directory, `${name}.qcow2`)
    await copyFile(disk, path)
    const extraArgs = ['-kernel', kernel, '-initrd', String(initrd), '-append', String(append)]
    const own = machine(name, { image: image.file(path), memory: '128 MiB', extraArgs })
    const base = own.state('base', (vm) => vm.writeFile('/base', 'base'))
    const top = base.state('top', (vm) => vm.writeFile('/top', 'top'))
    const live = base.live('live', () => {})
    return { path, own, base, top, live }
  }
  return { first: await define('first'), second: await define('second') }
}

let machines: Awaited<ReturnType<typeof makeMachines>>
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vms-catalogue-'))
  context = await Context.open({ store: join(directory, 'store'), label: 'test' })
  machines = await makeMachines()
  await (await ensure(machines.first.top, context)).release()
}, 240_000)
afterAll(async () => {
  await context.close()
  await rm(directory, { recursive: true, force: true })
})

/** What the store has of the first machine's states and kept boots. */
const describeAll = async () => {
  const states = [...machines.first.own[DETAILS].states.values()]
  return (await Promise.all(states.map((state) => describeWithBoot(state, context)))).flat()
}

describe('describeWithBoot()', () => {
  it('tells which states are there, how large they are and what they took', async () => {
    const list = await describeAll()
    expect(
      list.map(({ name, kind, parents, stored }) => [name, kind, ...parents, stored !== undefined]),
    ).toEqual([
      ['first/root', 'image', false],
      ['first/base', 'disk', 'first/root', true],
      ['first/top', 'disk', 'first/base', true],
      ['first/live', 'live', 'first/base', false],
    ])
    const stored = list[1]?.stored
    const sizes = await objectSizes(await context.store.objects.list())
    expect(sizes.get(String(stored?.directory))?.size).toBeGreaterThan(2 ** 16)
    expect(stored?.seconds).toBeGreaterThan(0.5)
    expect(Date.now() - Number(stored?.builtAt)).toBeLessThan(300_000)
  })
})

describe('a state on an image of the user', () => {
  it('is there for every machine that is alike, wherever its image is', async () => {
    expect((await describeState(machines.second.top, context)).stored).toBeDefined()
  })

  it('is missing while the image that it stands on has another content', async () => {
    const { path } = machines.first
    const content = await readFile(path)
    await rm(path)
    expect((await describeState(machines.second.top, context)).stored).toBeUndefined()
    await writeFile(path, content)
    expect((await describeState(machines.second.top, context)).stored).toBeDefined()
  })
})

describe('exportOverlay()', () => {
  it('leaves an overlay that keeps the state from being removed', async () => {
    const output = join(directory, 'exported', 'top.qcow2')
    expect(await exportOverlay(machines.first.top, output, context)).toEqual([output])
    const { stored } = await describeState(machines.first.top, context)
    expect((await backingOf(output))?.file).toBe(
      join(String(stored?.directory), 'vm', 'image.qcow2'),
    )
    await expect(removeState(machines.first.top, context)).rejects.toMatchObject({
      code: 'OBJECT_IN_USE',
      message: expect.stringMatching(new RegExp(`cannot be removed: ${output} stands on it\\n`)),
    })
    await rm(output)
  })

  it('refuses a file that is there, and leaves it', async () => {
    const output = join(directory, 'mine.qcow2')
    await writeFile(output, 'mine')
    await expect(exportOverlay(machines.first.top, output, context)).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
    })
    expect(await readFile(output, 'utf8')).toBe('mine')
  })

  it('in a place that is no directory is an error, and pins nothing', async () => {
    const leases = join(context.store.root, 'leases')
    const before = await readdir(leases)
    await writeFile(join(directory, 'file'), '')
    const output = join(directory, 'file', 'deep', 'own.qcow2')
    await expect(exportOverlay(machines.first.top, output, context)).rejects.toMatchObject({
      code: 'IMAGE_MISSING',
      message: `${join(directory, 'file', 'deep')} does not exist`,
    })
    expect(await readdir(leases)).toEqual(before)
  })

  it('refuses a live state', async () => {
    const output = join(directory, 'live.qcow2')
    await expect(exportOverlay(machines.first.live, output, context)).rejects.toMatchObject({
      code: 'STATE_IS_LIVE',
    })
  })
})

describe('removeState()', () => {
  it('refuses while others stand on it, and names them', async () => {
    await expect(removeState(machines.first.base, context)).rejects.toMatchObject({
      code: 'STATE_HAS_CHILDREN',
      message: expect.stringContaining('first/top stands on it'),
    })
    expect((await describeState(machines.first.base, context)).stored).toBeDefined()
  })

  it('refuses while a machine runs on it', async () => {
    const opened = await openMachines(machines.first.top, context)
    await expect(removeState(machines.first.top, context)).rejects.toMatchObject({
      code: 'OBJECT_IN_USE',
    })
    await opened.close()
  })

  it('takes a kept boot along, and other states when told', async () => {
    const { base, top } = machines.first
    const states = async () =>
      (await describeAll()).flatMap(({ name, stored }) => (stored === undefined ? [] : name))
    expect(await states()).toEqual(['first/base', 'first/top', 'first/top booted'])
    expect(await removeState(top, context)).toBe('removed')
    expect(await states()).toEqual(['first/base'])
    await (await ensure(top, context)).release()
    expect(await removeState(base, context, { withChildren: true })).toBe('removed')
    expect(await states()).toEqual([])
    expect((await context.store.keys.list()).size).toBe(0)
  })

  it('does what the policy says for a state that is missing', async () => {
    const { live } = machines.first
    expect(await removeState(live, context)).toBe('ignored')
    await expect(removeState(live, context, { missing: 'abort' })).rejects.toMatchObject({
      code: 'STATE_MISSING',
    })
    await expect(removeState(live, context, { exists: 'ignore' })).rejects.toMatchObject({
      code: 'INVALID_POLICY',
    })
  })
})
