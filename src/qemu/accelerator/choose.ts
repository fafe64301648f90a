import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { VmStatesError } from '../../params/errors.js'
import type { Accelerator } from './accelerator.js'
import { type KvmProof, provenKvm } from './kvm-proof.js'

const KVM_DEVICE = '/dev/kvm'

/** An accelerator, and why this one. */
export interface AcceleratorChoice {
  accelerator: Accelerator
  /** One line for people. */
  reason: string
}

/**
 * Chooses how guests run on this host: by KVM where one small Linux boot under it has worked since
 * the host's boot, else translated (TCG). `VM_STATES_ACCEL=kvm` or `tcg` overrules.
 *
 * @throws VmStatesError `INVALID_VALUE` for any other `VM_STATES_ACCEL`; `QEMU_MISSING`; `ABORTED`;
 *   what `proof.guest` throws
 */
export async function chooseAccelerator(proof: KvmProof): Promise<AcceleratorChoice> {
  const overruled = overruledAccelerator()
  if (overruled !== undefined) return overruled
  const obstacle = await kvmObstacle()
  if (obstacle !== undefined) return { accelerator: 'tcg', reason: `TCG, since ${obstacle}` }
  return (await provenKvm(proof))
    ? { accelerator: 'kvm', reason: 'KVM: a Linux guest boots under it on this host' }
    : {
        accelerator: 'tcg',
        reason: `TCG, since no Linux guest boots under KVM on this host, though ${KVM_DEVICE} is there`,
      }
}

/**
 * What `VM_STATES_ACCEL` says.
 *
 * @returns nothing where it is not set
 * @throws VmStatesError `INVALID_VALUE` for anything but `kvm` and `tcg`
 */
export function overruledAccelerator(): AcceleratorChoice | undefined {
  const wanted = process.env.VM_STATES_ACCEL
  if (wanted === undefined || wanted === '') return undefined
  if (wanted === 'kvm' || wanted === 'tcg') {
    return {
      accelerator: wanted,
      reason: `${wanted.toUpperCase()}, since VM_STATES_ACCEL says so`,
    }
  }
  throw new VmStatesError('INVALID_VALUE', `VM_STATES_ACCEL is "${wanted}"`, {
    hint: 'It can be "kvm" or "tcg"; without it, what works on this host is found out.',
  })
}

/**
 * Why KVM cannot be used here, as far as that shows without running it.
 *
 * @returns nothing where it may work
 */
export async function kvmObstacle(device = KVM_DEVICE): Promise<string | undefined> {
  const denied = await access(device, constants.R_OK | constants.W_OK).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  )
  if (denied === 'ENOENT') return `this host has no ${device}`
  if (denied !== undefined) return `this user may not open ${device} (is it in the group kvm?)`
  if (process.arch !== 'x64') return undefined
  const cpu = await readFile('/proc/cpuinfo', 'utf8')
  // Necessary, not sufficient: para-virtual hosts show the device without the instructions.
  return /^flags\s*:.*\b(?:vmx|svm)\b/m.test(cpu) ? undefined : 'this CPU shows neither vmx nor svm'
}
