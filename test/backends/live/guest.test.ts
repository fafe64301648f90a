import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { liveBackend } from '../../../src/backends/live/graph.js'
import { VmControl } from '../../../src/guest/vm-control.js'
import { launch } from '../../../src/qemu/machine/launch.js'
import { bootTiny } from '../../guest/tiny-vm.js'
import { temporaryDirectory } from '../../qemu/machine/bare-machine.js'

test('a Linux guest goes on with its processes and its RAM, however often it is rewound', async () => {
  await using booted = await bootTiny()
  await booted.vm.$`echo before >/dev/shm/word; sync`
  const root = await temporaryDirectory()
  const [state, work] = [join(root, 'state'), join(root, 'work')]
  for (const directory of [state, work]) await mkdir(directory)
  const { options } = booted.process
  const files = await liveBackend.capture({ disks: options.disks, process: booted.process }, state)

  const prepared = await liveBackend.prepare(files, 'test', work)
  const process = await launch({
    ...options,
    ...prepared.launch,
    paused: true,
    directory: root,
    disks: prepared.disks,
  })
  onTestFinished(() => process.close())
  await prepared.load(process)
  await process.qmp.execute('cont')
  expect(dirname(prepared.disks[0]?.file ?? '')).toBe(work)
  for (const round of [1, 2, 3]) {
    if (round > 1) await prepared.rewind?.(process)
    const control = new VmControl({ machine: 'tiny', liveness: 'live' })
    control.attach(process, 'state')
    const { stdout } = await control.vm.$`cat /dev/shm/word; echo after >/dev/shm/word; ls /root`
    expect(stdout.trim()).toBe('before')
    await control.vm.$`echo changed >/root/changed`
    control.release('the round has ended')
  }
})
