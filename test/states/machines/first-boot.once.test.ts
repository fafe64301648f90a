import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { image } from '../../../src/images/image.js'
import { machine } from '../../../src/states/definitions/machine.js'
import { Context } from '../../../src/states/graph/context.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { makeStoreWithTiny } from '../../support/store-with-tiny.js'

const TIMEOUT = 600_000

let directory: string
let context: Context

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vms-first-boot-'))
  await makeStoreWithTiny(join(directory, 'store'))
  context = await Context.open({ store: join(directory, 'store'), label: 'test' })
}, TIMEOUT)

afterAll(async () => {
  await context?.close()
  await rm(directory, { recursive: true, force: true })
})

it(
  'a machine boots what was changed in its image, in all of its states',
  async () => {
    const tiny = machine('tiny', {
      image: image.tiny(),
      memory: '96 MiB',
      boot: 'cold',
      firstBoot: {
        hostname: 'renamed',
        files: { '/root/note': 'a note' },
        run: ['cat /root/note /etc/hostname >/root/both'],
      },
    })
    const live = tiny.live('live', (vm) => vm.$`hostname >/root/name`)
    await using opened = await openMachines(live, context)
    const vm = opened.handle()
    expect(await vm.readFile('/root/name')).toBe('renamed\n')
    expect(await vm.readFile('/root/both')).toBe('a noterenamed\n')
  },
  TIMEOUT,
)
