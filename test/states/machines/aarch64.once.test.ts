import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { image } from '../../../src/images/image.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'
import { machine } from '../../../src/states/definitions/machine.js'
import { Context } from '../../../src/states/graph/context.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { makeStoreWithTiny } from '../../support/store-with-tiny.js'
import { clockError, prepareForSleep, randomBytesOf } from './waking.js'

const TIMEOUT = 600_000

let directory: string
let context: Context

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vms-aarch64-'))
  const store = join(directory, 'store')
  await makeStoreWithTiny(store)
  await makeStoreWithTiny(store, 'aarch64')
  context = await Context.open({ store, label: 'test' })
}, TIMEOUT)
afterAll(async () => {
  await context?.close()
  await rm(directory, { recursive: true, force: true })
})

it(
  'the built-in guest of aarch64 is changed, kept and restored, and is right after waking',
  async () => {
    const arm = machine('arm', {
      ...{ image: image.tiny(), arch: 'aarch64', memory: '256 MiB' },
      firstBoot: { hostname: 'arm', run: ['uname -m >/root/machine'] },
    })
    const noted = arm.state('noted', (vm) => vm.writeFile('/root/note', 'on the disk'))
    const live = noted.live('live', prepareForSleep)
    await using opened = await openMachines(live, context)
    const random = new Set<string>()
    for (let restore = 0; restore < 2; restore++) {
      if (restore > 0) await opened.reset()
      expect(await clockError(opened.processes[0] as MachineProcess)).toBeLessThan(100)
      const vm = opened.handle()
      for (const bytes of await randomBytesOf(vm)) random.add(bytes)
      const { stdout } = await vm.$`uname -m; hostname; cat /root/machine /root/note`
      expect(stdout).toBe('aarch64\narm\naarch64\non the disk')
    }
    expect(random.size).toBe(4)
    const vm = opened.handle()
    await vm.reboot({ timeout: 120_000 })
    expect(await vm.readFile('/root/note')).toBe('on the disk')
    await vm.shutdown()
  },
  TIMEOUT,
)
