import { describe, expect, it, vi } from 'vitest'
import { image } from '../../../src/images/image.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { AnyState, Vm } from '../../../src/states/definitions/types.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { rejection } from '../../guest/tiny-vm.js'
import { debianImage } from '../../support/debian/image.js'
import { useStore } from '../graph/use-store.js'

const TIMEOUT = 1_200_000

const place = useStore()

const open = (state: AnyState<Vm>) => openMachines(state, place.context)

const options = {
  image: image.tiny(),
  memory: '128 MiB',
  guest: 'ssh',
  firstBoot: {},
} as const

const tiny = machine('tiny', options)
const talked = tiny.live('talked', async (vm) => {
  // Nobody but ssh can have done it.
  await vm.$`sed -i /agent/d /etc/inittab; kill -HUP 1; sleep 0.5; killall qemu-ga`
  await vm.$`date -s 2020-01-01; echo kept >/root/note`
})

/** Established connections to sshd, as the guest sees them. */
const connections = async (vm: Vm) =>
  (await vm.$`cat /proc/net/tcp* | grep -c ' [0-9A-F]*:0016 [0-9A-F]*:[0-9A-F]* 01 ' || true`)
    .stdout

describe('the tiny guest without an agent, over ssh', () => {
  it(
    'is restored again and again, each time with a new connection and the right time',
    async () => {
      await using opened = await open(talked)
      for (let restore = 0; restore < 3; restore++) {
        if (restore > 0) await opened.reset()
        const vm = opened.handle()
        expect((await vm.$`cat /root/note; ps | grep -c '[q]emu-ga' || true`).stdout).toBe(
          'kept\n0',
        )
        const year = new Date().getUTCFullYear()
        expect((await vm.$`date -u +%Y`).stdout).toBe(String(year))
        expect(await connections(vm)).toBe('1')
      }
    },
    TIMEOUT,
  )

  it(
    'runs no two commands at once on a connection, which dropbear may end then, and keeps each for the next ones',
    async () => {
      await using opened = await open(talked)
      const vm = opened.handle()
      const server = 'echo $PPID; until [ -e /tmp/all ]; do sleep 0.1; done'
      const running = Array.from({ length: 3 }, () => vm.exec('sh', ['-c', server]))
      await vi.waitFor(async () => expect(Number(await connections(vm))).toBe(4), TIMEOUT)
      await vm.$`touch /tmp/all`
      const servers = (await Promise.all(running)).map(({ stdout }) => stdout)
      expect(new Set(servers).size).toBe(3)
      await Promise.all(running.map(() => vm.$`true`))
      expect(await connections(vm)).toBe('4')
    },
    TIMEOUT,
  )

  it(
    'goes on with the connection of a download that failed on the host',
    async () => {
      await using opened = await open(talked)
      const vm = opened.handle()
      await vm.$`head -c 8000000 /dev/urandom >/root/much`
      const onProgress = () => {
        throw new Error('no more')
      }
      const before = Number(await connections(vm))
      for (let index = 0; index < 3; index++) {
        const error = await rejection(vm.download('/root/much', '/tmp/none', { onProgress }))
        expect(error.message).toContain('no more')
      }
      // One more for the command that kills the packer.
      expect(Number(await connections(vm))).toBeLessThanOrEqual(before + 1)
    },
    TIMEOUT,
  )

  it(
    'runs nothing after a reset that was asked for before it',
    async () => {
      await using opened = await open(talked)
      const vm = opened.handle()
      await vm.$`(sleep 0.2; killall -KILL dropbear) </dev/null >/dev/null 2>&1 &`
      await rejection(vm.exec('sleep', ['1000']))
      const late = rejection(vm.exec('touch', ['/root/ran']))
      await vm.reset()
      expect(await late).toMatchObject({ code: 'GUEST_REBOOTED' })
      await vm.ready({ timeout: 600_000 })
      expect(await vm.exists('/root/ran')).toBe(false)
    },
    TIMEOUT,
  )

  it(
    'keeps its host key in what is known of its states, and refuses another one',
    async () => {
      const child = talked.state('child', (vm) => vm.$`true`)
      await using first = await open(child)
      const { hostKey } = first.state.members.vm ?? {}
      expect(hostKey).toMatch(/^SHA256:/)
      const vm = first.handle()
      await vm.$`rm /etc/dropbear/*`
      await vm.$`kill $(cat /run/dropbear.pid); dropbear -R -s -P /run/dropbear.pid`
      // One that is kept goes on; one that comes anew does not.
      expect((await vm.$`echo on`).stdout).toBe('on')
      first.machines.vm?.link?.drop()
      const error = await rejection(vm.$`echo on`)
      expect(error).toMatchObject({ code: 'SSH_HOST_KEY_CHANGED' })
      expect(error.message).toContain(`was ${hostKey}`)
    },
    TIMEOUT,
  )

  it(
    'tells of a connection that is lost while a command runs, and goes on with the next',
    async () => {
      await using opened = await open(talked)
      const vm = opened.handle()
      const running = rejection(vm.$`echo begun >/tmp/begun; sleep 1000`)
      await vm.waitForFile('/tmp/begun')
      await vm.$`(sleep 0.3; kill $(pidof dropbear | tr ' ' '\n' | grep -vx "$(cat /run/dropbear.pid)")) >/dev/null 2>&1 &`
      const error = await running
      expect(error).toMatchObject({ code: 'GUEST_SSH_LOST' })
      expect(error.message).toContain('lost while a command ran')
      expect((await vm.$`echo again`).stdout).toBe('again')
    },
    TIMEOUT,
  )

  it(
    'tells that the machine was reset, and of a QEMU that has ended',
    async () => {
      await using opened = await open(talked)
      const vm = opened.handle()
      const running = rejection(vm.$`echo begun >/tmp/begun; sleep 1000`)
      await vm.waitForFile('/tmp/begun')
      await vm.qmp('system_reset')
      const error = await running
      expect(error).toMatchObject({ code: 'GUEST_REBOOTED' })
      await vm.ready({ timeout: 600_000 })
      const last = rejection(vm.$`sleep 1000`)
      await vm.$`true`
      process.kill((opened.processes[0] as MachineProcess).pid, 'SIGKILL')
      expect(await last).toMatchObject({ code: 'GUEST_GONE' })
    },
    TIMEOUT,
  )

  it(
    'reboots, and is ready again',
    async () => {
      await using opened = await open(talked)
      const vm = opened.handle()
      const boot = () => vm.readFile('/proc/sys/kernel/random/boot_id')
      const before = await boot()
      await vm.reboot({ timeout: 600_000 })
      expect(await boot()).not.toBe(before)
      await vm.shutdown()
    },
    TIMEOUT,
  )

  it(
    'does not let in a user whom it knows not: the error says whom, and what to do',
    async () => {
      // sshd runs for somebody else.
      const firstBoot = { files: { '/root/.ssh/authorized_keys': 'ssh-ed25519 AAAA\n' } }
      const stranger = machine('stranger', {
        ...{ ...options, firstBoot, sshUser: 'nobody', boot: 'cold' },
      })
      const error = await rejection(open(stranger.root))
      expect(error).toMatchObject({ code: 'GUEST_SSH_REFUSED' })
      expect(error.message).toContain('did not let nobody in')
      expect(error.message).toContain('storeSshKey()')
    },
    TIMEOUT,
  )

  it(
    'is told to be missing where nothing listens, within the deadline',
    async () => {
      await using opened = await open(talked)
      const vm = opened.handle()
      await vm.$`echo >/root/.ssh/authorized_keys; kill $(cat /run/dropbear.pid)`
      opened.machines.vm?.link?.drop()
      const startedAt = performance.now()
      const error = await rejection(vm.ready({ timeout: 3000 }))
      expect(performance.now() - startedAt).toBeLessThan(4500)
      expect(error).toMatchObject({ code: 'GUEST_SSH_MISSING' })
      expect(error.message).toContain('openssh-server')
    },
    TIMEOUT,
  )
})

describe('the Debian guest over ssh, let in by cloud-init', () => {
  it(
    'is restored with host keys of its own, may refuse commands at once, and reboots',
    async () => {
      const debian = machine('debian', {
        image: await debianImage(),
        guest: 'ssh',
        identity: 'fresh',
        readyTimeout: TIMEOUT,
        cloudInit: { userData: { locale: false } },
      })
      const up = debian.live('up', (vm) => vm.$`systemctl mask --now qemu-guest-agent`)
      await using opened = await open(up)
      const keys: string[] = []
      for (let restore = 0; restore < 2; restore++) {
        if (restore > 0) await opened.reset()
        const vm = opened.handle()
        keys.push(await vm.readFile('/etc/ssh/ssh_host_ed25519_key.pub'))
        expect(await vm.service('qemu-guest-agent').status()).toBe('stopped')
        expect((await vm.$`date -u +%Y`).stdout).toBe(String(new Date().getUTCFullYear()))
        await Promise.all([vm.$`sleep 0.5`, vm.$`sleep 0.5`, vm.$`sleep 0.5`])
        expect(await connections(vm)).toBe('1')
        opened.machines.vm?.link?.drop()
        expect((await vm.$`whoami`).stdout).toBe('root')
      }
      expect(new Set(keys).size).toBe(2)
      const vm = opened.handle()
      await vm.$`echo MaxSessions 2 >/etc/ssh/sshd_config.d/few.conf; systemctl reload ssh`
      opened.machines.vm?.link?.drop()
      const names = ['1', '2', '3', '4', '5']
      const results = await Promise.all(names.map((name) => vm.exec('echo', [name])))
      expect(results.map(({ stdout }) => stdout)).toEqual(names)

      const frozen = await vm.freeze()
      expect(await vm.thaw()).toBe(frozen)
      // An ISO filesystem cannot be frozen, and is passed over.
      await vm.$`mkdir '/mnt/a seed'; mount -r /dev/disk/by-label/cidata '/mnt/a seed'`
      expect(await vm.freeze()).toBe(frozen)
      expect(await vm.thaw()).toBe(frozen)
      await vm.$`echo on >/root/on`

      const boot = () => vm.readFile('/proc/sys/kernel/random/boot_id')
      const before = await boot()
      await vm.reboot({ timeout: TIMEOUT })
      expect(await boot()).not.toBe(before)
    },
    2 * TIMEOUT,
  )

  it(
    'is entered as another user, who may do what that user may',
    async () => {
      const debian = machine('debian', {
        image: await debianImage(),
        ...{ guest: 'ssh', sshUser: 'ada', boot: 'cold', readyTimeout: TIMEOUT },
        cloudInit: { users: [{ name: 'ada' }], userData: { locale: false } },
      })
      await using opened = await open(debian.root)
      const vm = opened.handle()
      expect((await vm.$`whoami; pwd; echo $HOME`).stdout).toBe('ada\n/\n/home/ada')
      await vm.writeFile('/home/ada/own', 'words')
      expect(await vm.readFile('/home/ada/own')).toBe('words')
      expect(await rejection(vm.readFile('/etc/shadow'))).toMatchObject({
        code: 'GUEST_FILE_FAILED',
        message: expect.stringContaining('Permission denied'),
      })
      const error = await rejection(vm.$({ timeout: 1500 })`sleep 9876 & sleep 9876`)
      expect(error).toMatchObject({ code: 'TIMEOUT' })
      expect((await vm.$`ps -e -o args | grep -c '^sleep 987[6]' || true`).stdout).toBe('0')
    },
    2 * TIMEOUT,
  )
})
