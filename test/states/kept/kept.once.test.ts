import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Vm } from '../../../src/guest/vm.js'
import { image } from '../../../src/images/image.js'
import { machine } from '../../../src/states/definitions/machine.js'
import { captureMoment } from '../../../src/states/kept/keep-machines.js'
import { keptDefinition } from '../../../src/states/kept/kept-definition.js'
import { findKept, leaseKept } from '../../../src/states/kept/kept-states.js'
import { requireLoadable } from '../../../src/states/kept/require-loadable.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { otherQemu } from '../../support/other-qemu.js'
import { useStore } from '../graph/use-store.js'

const place = useStore()

const tiny = machine('tiny', {
  image: image.tiny(),
  memory: '256 MiB',
  network: 'none',
  firmware: 'uefi',
  boot: 'cold',
  identity: 'fresh',
})

it('a moment of a machine with UEFI firmware goes on as it was, where it fits', async () => {
  const { context } = place
  {
    await using opened = await openMachines(tiny.root, context)
    await opened.handle().$`echo here >/dev/shm/moment; echo as-kept >/etc/machine-id`
    const { commit } = await captureMoment(opened, context, { timeout: 60_000 })
    await commit('kept', 'mine')
  }
  const kept = await findKept(context.store, 'kept', 'mine')
  if (kept === undefined) throw new Error('it was not kept')
  const definition = keptDefinition(kept.meta, kept.moment)
  await requireLoadable(definition, kept, context)
  {
    await using opened = await openMachines(definition, context, {
      state: await leaseKept(context.store, kept),
    })
    const vm = opened.handle() as Vm
    expect((await vm.$`cat /dev/shm/moment /etc/machine-id`).stdout).toBe('here\nas-kept')
  }

  await using another = await place.open({ qemu: await otherQemu(place.root) })
  await expect(requireLoadable(definition, kept, another)).rejects.toMatchObject({
    code: 'STATE_NOT_LOADED',
    message: expect.stringMatching(
      /^kept\/mine was kept by QEMU [\d.]+ on .*, and .* is QEMU 9\.9\.9 /,
    ),
  })

  const path = join(place.root, 'base.qcow2')
  const bases = [{ image: { kind: 'file', path } as const, identity: 'sha256:0' }]
  const moved = { ...kept, meta: { ...kept.meta, bases } }
  await expect(requireLoadable(definition, moved, context)).rejects.toMatchObject({
    code: 'STATE_NOT_LOADED',
    message: `kept/mine stands on the image ${path}, which has changed since it was kept`,
  })
}, 300_000)
