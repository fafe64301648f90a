import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Vm } from '../../../src/guest/vm.js'
import { VmControl } from '../../../src/guest/vm-control.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'
import { machine } from '../../../src/states/definitions/machine.js'
import { Context } from '../../../src/states/graph/context.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { debianImage } from '../../support/debian/image.js'
import { bootTiny } from '../tiny-vm.js'
import { letIn } from './let-in.js'

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
