import type { Vm } from '../../../src/guest/vm.js'
import { VmControl } from '../../../src/guest/vm-control.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'
import { bootDebian } from '../../support/debian/boot.js'
import { bootTiny } from '../tiny-vm.js'
import { letIn } from './let-in.js'

/** A machine that has booted; its guest has settled. */
interface BootedGuest extends AsyncDisposable {
  process: MachineProcess
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
