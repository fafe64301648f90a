import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { image } from '../../../src/images/image.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { AvailableMember } from '../../../src/states/graph/available-state.js'
import { ensureBoot } from '../../../src/states/graph/ensure.js'
import { captureAndContinue } from '../../../src/states/machines/capture-and-continue.js'
import { Handles } from '../../../src/states/machines/handles.js'
import { startMachines } from '../../../src/states/machines/start-machines.js'
import { useStore } from '../graph/use-store.js'

const place = useStore()

const { root } = machine('tiny', { image: image.tiny(), memory: '128 MiB' })

it('a machine that is captured goes on, and what it does then is not in the state', async () => {
  const { context } = place
  const available = await ensureBoot(root, context)
  const draft = await context.store.objects.createDraft()
  const handles = new Handles(root)
  const vm = handles.vm('vm')
  const before = await startMachines(root, available, context, { purpose: 'live' })
  handles.attach(before)
  await before.resume()
  await vm.$`echo before >/dev/shm/ram; echo before >/disk; sync
    (while true; do sleep 0.05; done) >/dev/null 2>&1 & echo $! >/dev/shm/pid`

  // The one that goes on is started first: where it cannot be, nothing has happened to the other.
  const draftOfNone = await context.store.objects.createDraft()
  const withoutKernel = { ...available.members.vm, directKernel: { kernel: '/none' } }
  const failed = captureAndContinue(root, before, {
    available: { ...available, members: { vm: withoutKernel as AvailableMember } },
    context,
    directory: draftOfNone.directory,
  })
  await expect(failed).rejects.toMatchObject({ code: 'DISK_UNREADABLE' })
  await draftOfNone.discard()

  const { captured, started, stoodStill } = await captureAndContinue(root, before, {
    available,
    context,
    directory: draft.directory,
  })
  onTestFinished(async () => {
    handles.release('the test is over')
    await started.discard()
    await draft.discard()
    await available.release()
  })
  handles.attach(started)
  expect(stoodStill).toBeGreaterThan(0)
  const { memory } = captured.files.vm as NonNullable<typeof captured.files.vm>
  const ram = memory?.ram ?? ''
  expect(ram).toBe(join(draft.directory, 'vm/ram'))
  expect((await stat(ram)).blocks * 512).toBeLessThan(memory?.size ?? 0)
  // What the guest has of its disk in RAM would hide that it has another one.
  const change = await vm.$`echo 3 >/proc/sys/vm/drop_caches
    kill -0 $(cat /dev/shm/pid) && cat /dev/shm/ram /disk
    echo after >/dev/shm/ram; echo after >/disk; sync`
  expect(change.stdout).toBe('before\nbefore')

  const member = { ...(available.members.vm as AvailableMember), ...{ files: captured.files.vm } }
  const state = { ...available, members: { vm: member as AvailableMember } }
  const again = await startMachines(root, state, context, { purpose: 'test' })
  onTestFinished(() => again.discard())
  await again.resume()
  handles.attach(again)
  expect((await vm.$`kill -0 $(cat /dev/shm/pid) && cat /dev/shm/ram /disk`).stdout).toBe(
    'before\nbefore',
  )
})
