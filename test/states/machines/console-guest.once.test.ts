import { expect, it } from 'vitest'
import { image } from '../../../src/images/image.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { AnyState, Vm } from '../../../src/states/definitions/types.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { rejection } from '../../guest/tiny-vm.js'
import { debianImage } from '../../support/debian/image.js'
import { useStore } from '../graph/use-store.js'

const TIMEOUT = 1_200_000

const place = useStore()

const open = (state: AnyState<Vm>) => openMachines(state, place.context)

it(
  'disk states and live ones of a guest without an agent are built and restored over its console',
  async () => {
    const tiny = machine('tiny', {
      image: image.tiny(),
      memory: '128 MiB',
      guest: 'console',
      firstBoot: { run: ['sed -i /agent/d /etc/inittab'] },
    })
    const noted = tiny.state('noted', (vm) => vm.writeFile('/root/note', 'on the disk'))
    const live = noted.live('live', async (vm) => {
      await vm.$`date -s 2020-01-01; echo 'in memory' >/dev/shm/note`
    })
    await using opened = await open(live)
    for (let restore = 0; restore < 2; restore++) {
      if (restore > 0) await opened.reset()
      const vm = opened.handle()
      const { stdout } =
        await vm.$`cat /root/note; echo; cat /dev/shm/note; pidof qemu-ga || echo none`
      expect(stdout).toBe('on the disk\nin memory\nnone')
      expect((await vm.$`date -u +%Y`).stdout).toBe(String(new Date().getUTCFullYear()))
    }
  },
  TIMEOUT,
)

it(
  'a guest that asks for a user is logged in with the password that the machine names',
  async () => {
    const options = {
      image: await debianImage(),
      ...({ guest: 'console', boot: 'cold', readyTimeout: TIMEOUT } as const),
      cloudInit: {
        users: [{ name: 'ada', password: 'secret' }],
        // The guest has no files of locales.
        userData: { locale: false },
      },
    }
    const debian = machine('debian', { ...options, consoleUser: 'ada', consolePassword: 'secret' })
    await using opened = await open(debian.root)
    expect((await opened.handle().$`id -un; cat /sys/class/tty/console/active`).stdout).toBe(
      'ada\nttyS0',
    )
    const stranger = machine('debian', { ...options, consoleUser: 'ada', consolePassword: 'wrong' })
    const error = await rejection(open(stranger.root))
    expect(error.message).toContain('it refuses ada')
    expect(error.message).not.toContain('wrong')
  },
  2 * TIMEOUT,
)
