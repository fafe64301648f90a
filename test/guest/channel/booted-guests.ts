import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeSshKey } from '../../../src/guest/ssh/ssh-key.js'
import { SshLink } from '../../../src/guest/ssh/ssh-link.js'
import type { Vm } from '../../../src/guest/vm.js'
import { VmControl } from '../../../src/guest/vm-control.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'
import { machine } from '../../../src/states/definitions/machine.js'
import { Context } from '../../../src/states/graph/context.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { debianImage } from '../../support/debian/image.js'
import { bootTiny } from '../tiny-vm.js'

/** A machine that has booted; its guest has settled. */
interface BootedGuest extends AsyncDisposable {
  process: MachineProcess
}

async function bootDebian(): Promise<BootedGuest> {
  const store = await mkdtemp(join(tmpdir(), 'vms-debian-'))
  const context = await Context.open({ store, label: 'test' })
  const options = { boot: 'cold', readyTimeout: 600_000 } as const
  const debian = machine('debian', { image: await debianImage(), ...options })
  const opened = await openMachines(debian.root, context)
  return {
    process: opened.processes[0] as MachineProcess,
    async [Symbol.asyncDispose]() {
      await opened.close()
      await context.close()
      await rm(store, { recursive: true, force: true })
    },
  }
}

/** Has the guest let in who has a key. */
async function letIn(process: MachineProcess): Promise<SshLink> {
  const store = await mkdtemp(join(tmpdir(), 'vms-ssh-key-'))
  const { privateKey, publicKey } = await storeSshKey(store)
  await rm(store, { recursive: true })
  const control = new VmControl({ machine: 'guest', liveness: 'live' })
  control.attach(process)
  await control.vm.$`mkdir -p -m 700 /root/.ssh; echo ${publicKey} >/root/.ssh/authorized_keys`
  await control.vm
    .$`if [ -x /usr/sbin/dropbear ]; then mkdir -p /etc/dropbear; dropbear -R -s -P /run/dropbear.pid; fi`
  control.release('the guest is ready')
  return new SshLink(process, { user: 'root', privateKey, hostKey: undefined })
}

const BOOTS = { tiny: bootTiny, debian: bootDebian }

/** Guests of which each is booted once. */
export class BootedGuests {
  readonly #booted = new Map<string, Promise<BootedGuest>>()

  /** A handle to a guest. */
  async open(guest: 'tiny' | 'debian', channel: 'agent' | 'ssh'): Promise<Vm> {
    const booted = this.#booted.get(guest) ?? BOOTS[guest]()
    this.#booted.set(guest, booted)
    const { process } = await booted
    const control = new VmControl({ machine: guest, liveness: 'live' })
    control.attach(process, 'fresh', channel === 'ssh' ? await letIn(process) : undefined)
    await control.vm.ready({ timeout: 300_000 })
    return control.vm
  }

  async close(): Promise<void> {
    for (const booted of this.#booted.values()) await (await booted)[Symbol.asyncDispose]()
  }
}
