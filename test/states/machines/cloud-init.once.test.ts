import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Vm } from '../../../src/guest/vm.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { AnyState } from '../../../src/states/definitions/types.js'
import { Context } from '../../../src/states/graph/context.js'
import { ensure } from '../../../src/states/graph/ensure.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { debianImage } from '../../support/debian/image.js'

const BOOT = 900_000

let directory: string
let context: Context
let publicKey: string
const identity = () => join(directory, 'key')

// The first time it builds the guest, which takes minutes.
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vms-cloud-init-'))
  context = await Context.open({ store: join(directory, 'store'), label: 'test' })
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', identity()])
  publicKey = (await readFile(`${identity()}.pub`, 'utf8')).trim()
  await debianImage()
}, BOOT)

afterAll(async () => {
  await context?.close()
  await rm(directory, { recursive: true, force: true })
})

/** What is printed by a command in a machine that was started in a state. */
async function inState<T>(state: AnyState, use: (vm: Vm) => Promise<T>): Promise<T> {
  await using opened = await openMachines<Vm>(state as AnyState<Vm>, context)
  return await use(opened.handle())
}

describe('cloud-init in the Debian guest', () => {
  it(
    'does what the definition says at the first boot, and not again in states that stand on it',
    async () => {
      const debian = machine('debian', {
        image: await debianImage(),
        boot: 'cold',
        readyTimeout: BOOT,
        cloudInit: {
          hostname: 'ada-1',
          users: [{ name: 'ada', sshKeys: [publicKey], sudo: true }],
          // The guest has no files of locales.
          userData: { locale: false },
          runcmd: ['date +%N >>/root/ran', ['touch', '/root/a b']],
          network: {
            ethernets: {
              lan: {
                match: { macaddress: '52:54:00:12:34:56' },
                addresses: ['10.0.2.15/24', '10.0.2.77/24'],
              },
            },
          },
        },
      })
      // The machine that the state is built from is ready only once cloud-init has ended.
      const ran = debian.state('ran', async (vm) => {
        expect(await vm.exists('/root/a b')).toBe(true)
      })
      await (await ensure(ran, context)).release()
      await inState(ran, async (vm) => {
        expect(await vm.hostname()).toBe('ada-1')
        expect((await vm.readFile('/root/ran')).trim().split('\n')).toHaveLength(1)
        const rules = await vm.readFile('/etc/sudoers.d/90-cloud-init-users')
        expect(rules).toContain('ada ALL=(ALL) NOPASSWD:ALL')
        expect(await vm.readFile('/home/ada/.ssh/authorized_keys')).toContain(publicKey)
        expect((await vm.$`ip -4 address show scope global`).stdout).toContain('10.0.2.77/24')
        const { port } = await vm.forwardPort(22)
        const { stdout } = await execa('ssh', [
          ...['-p', String(port), '-i', identity(), '-o', 'IdentitiesOnly=yes'],
          ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
          ...['-o', 'ConnectTimeout=120', 'ada@127.0.0.1', 'whoami; hostname'],
        ])
        expect(stdout).toBe('ada\nada-1')
      })
    },
    4 * BOOT,
  )

  it(
    'is told to have failed, with the end of its log',
    async () => {
      const debian = machine('debian', {
        image: await debianImage(),
        boot: 'cold',
        readyTimeout: BOOT,
        cloudInit: { runcmd: ['echo nothing here', 'exit 3'], userData: { locale: false } },
      })
      const failed = inState(debian.root, async () => {})
      await expect(failed).rejects.toMatchObject({
        code: 'GUEST_NOT_READY',
        message: expect.stringMatching(/cloud-init has failed \(.*scripts/),
        hint: expect.stringContaining('nothing here'),
      })
    },
    2 * BOOT,
  )
})
