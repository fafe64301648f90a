import { isVmStatesError } from '../../params/errors.js'
import { kvmObstacle, overruledAccelerator } from '../../qemu/accelerator/choose.js'
import type { Finding } from './finding.js'

const MENDS: readonly (readonly [obstacle: RegExp, mend: string])[] = [
  [
    /has no/,
    'Load the module kvm_intel or kvm_amd; in a container, pass --device /dev/kvm; in a virtual machine, turn on nested virtualisation.',
  ],
  [/may not open/, 'sudo usermod -aG kvm "$USER", then log in again.'],
  [
    /neither vmx nor svm/,
    'Turn on virtualisation in the firmware, or nested in the host of this host.',
  ],
]

/**
 * Whether guests can run by hardware, and what keeps them from it.
 *
 * @param device - the device of KVM
 */
export async function checkAcceleration(device?: string): Promise<Finding> {
  const name = 'acceleration'
  try {
    const overruled = overruledAccelerator()
    if (overruled !== undefined) return { name, status: 'ok', found: overruled.reason }
  } catch (error) {
    if (!isVmStatesError(error)) throw error
    const mend = 'Set it to "kvm" or "tcg", or to nothing.'
    return { name, status: 'problem', found: error.message.split('\n')[0] ?? '', mend }
  }
  const obstacle = await kvmObstacle(device)
  if (obstacle === undefined) {
    return { name, status: 'ok', found: 'KVM may work; --self-test tells' }
  }
  const mend = MENDS.find(([pattern]) => pattern.test(obstacle))?.[1]
  return {
    name,
    status: 'warning',
    found: `none: ${obstacle}; guests are translated (TCG), several times slower`,
    ...(mend === undefined ? {} : { mend }),
  }
}
