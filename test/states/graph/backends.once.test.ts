import { expect, it } from 'vitest'
import { image } from '../../../src/images/image.js'
import { readQcow2Header } from '../../../src/qemu/qcow2/header.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { State } from '../../../src/states/definitions/types.js'
import type { AvailableMember } from '../../../src/states/graph/available-state.js'
import { ensure } from '../../../src/states/graph/ensure.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { useStore } from './use-store.js'

const place = useStore()

const tiny = machine('tiny', { image: image.tiny(), memory: '128 MiB', boot: 'cold' })
const first = tiny.state('first', (vm) => vm.writeFile('/first', '1'), { backend: 'internal' })
const second = first.state('second', (vm) => vm.writeFile('/second', '2'))
const third = second.state('third', (vm) => vm.writeFile('/third', '3'), { backend: 'internal' })

async function show(state: State) {
  const { members, release } = await ensure(state, place.context)
  const { files } = members.vm as AvailableMember
  const { snapshotCount } = await readQcow2Header(files.disks[0]?.file ?? '')
  await release()
  return { backend: files.backend, snapshotCount }
}

it('internal and external states stand on each other', async () => {
  await using opened = await openMachines(third, place.context)
  const vm = opened.handle()
  expect((await vm.$`cat /first /second /third`).stdout).toBe('123')
  expect([await show(first), await show(second), await show(third)]).toEqual([
    { backend: 'internal', snapshotCount: 1 },
    { backend: 'external', snapshotCount: 0 },
    { backend: 'internal', snapshotCount: 1 },
  ])
})

it('a machine in an internal state is as new after a reset', async () => {
  await using opened = await openMachines(first, place.context)
  await opened.handle().$`rm /first; sync`
  await opened.reset()
  expect(await opened.handle().readFile('/first')).toBe('1')
})
