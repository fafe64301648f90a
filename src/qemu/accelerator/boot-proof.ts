import { setTimeout as delay } from 'node:timers/promises'
import { monotonic } from '../../params/clocks.js'
import { isVmStatesError } from '../../params/errors.js'
import { abortedError } from '../deadline.js'
import { launch } from '../machine/launch.js'
import type { DirectKernel } from '../machine/launch-options.js'
import type { MachineProcess } from '../machine/machine-process.js'
import type { Accelerator } from './accelerator.js'

/** What a Linux kernel prints when it starts its first process. */
const MARKER = /Run \S+ as init process/

const POLL_INTERVAL = 20

/** A small Linux to boot, and how long it may take. */
export interface BootProof {
  /** The QEMU binary. */
  binary: string
  cpuModel: string
  /** A kernel that prints to `ttyS0`, with whatever initramfs. */
  guest: DirectKernel
  /** For the console and QEMU's log; an existing one, of the proof's own. */
  directory: string
  /** Milliseconds from power-on to the kernel's first process. */
  timeout: number
  signal?: AbortSignal | undefined
}

/**
 * Whether a Linux kernel boots to its first process under an accelerator. It is not enough that
 * QEMU starts: on some nested hosts the firmware runs under KVM, and the kernel then hangs.
 *
 * @throws VmStatesError `ABORTED`, `QEMU_MISSING`
 */
export async function boots(accelerator: Accelerator, proof: BootProof): Promise<boolean> {
  let machine: MachineProcess | undefined
  try {
    machine = await launch({
      name: `proof-${accelerator}`,
      binary: proof.binary,
      accelerator,
      memory: 128 * 2 ** 20,
      cpus: 1,
      cpuModel: proof.cpuModel,
      machineType: 'q35',
      network: 'none',
      extraArgs: [],
      disks: [],
      directKernel: { ...proof.guest, append: 'console=ttyS0 panic=-1' },
      directory: proof.directory,
      timeout: proof.timeout,
      ...(proof.signal === undefined ? {} : { signal: proof.signal }),
    })
    return await printsMarker(machine, proof)
  } catch (error) {
    if (isVmStatesError(error, 'QEMU_EXITED') || isVmStatesError(error, 'TIMEOUT')) return false
    throw error
  } finally {
    await machine?.close()
  }
}

/** The console is a file that QEMU appends to, so it is looked at now and then. */
async function printsMarker(machine: MachineProcess, proof: BootProof): Promise<boolean> {
  const deadline = monotonic() + proof.timeout
  while (monotonic() < deadline) {
    if (proof.signal?.aborted) throw abortedError('trying a guest', proof.signal)
    if (MARKER.test(await machine.consoleTail(2 ** 16))) return true
    if (!machine.running) return false
    await delay(POLL_INTERVAL)
  }
  return false
}
