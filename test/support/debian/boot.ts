import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Vm } from '../../../src/guest/vm.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'
import { machine } from '../../../src/states/definitions/machine.js'
import { Context } from '../../../src/states/graph/context.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { debianImage } from './image.js'

/** Milliseconds that the first test that asks for the guest may take, which builds it. */
export const DEBIAN_TIMEOUT = 900_000

/** A booted Debian guest with its handle. */
export interface DebianVm extends AsyncDisposable {
  process: MachineProcess
  vm: Vm
}

/** Boots the Debian guest on a disk and in a store of its own; it has settled. */
export async function bootDebian(): Promise<DebianVm> {
  const store = await mkdtemp(join(tmpdir(), 'vms-debian-'))
  const context = await Context.open({ store, label: 'test' })
  const close = async () => {
    await context.close()
    await rm(store, { recursive: true, force: true })
  }
  try {
    const options = { boot: 'cold', readyTimeout: 600_000 } as const
    const debian = machine('debian', { image: await debianImage(), ...options })
    const opened = await openMachines<Vm>(debian.root, context)
    return {
      process: opened.processes[0] as MachineProcess,
      vm: opened.handle(),
      async [Symbol.asyncDispose]() {
        await opened.close()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
