import { whoAmI } from '../../store/owner/host.js'
import { hostFact } from '../host-facts.js'
import { findQemu } from '../machine/find-binary.js'
import type { DirectKernel } from '../machine/launch-options.js'
import { fileIdentity, qemuVersion } from '../version.js'
import type { BootProof } from './boot-proof.js'

/** Milliseconds. Under a KVM that works, a small kernel is there in one or two seconds. */
const PROOF_TIMEOUT = 20_000

/** What a Linux boot under KVM is tried with. */
export interface KvmProof extends Pick<BootProof, 'binary' | 'cpuModel' | 'signal'> {
  /** Gives a small Linux to boot. Called only where nothing was proven since the host's boot. */
  guest: () => Promise<DirectKernel>
  /** Makes a directory for the boot, when it is tried. */
  directory: () => Promise<string>
}

/**
 * Whether one small Linux boot under KVM has worked since this host's boot; tried once, and
 * remembered for the host's boot id, the QEMU binary with its version, and the CPU model.
 *
 * @throws VmStatesError `QEMU_MISSING`, `ABORTED`; what `guest` throws
 */
export async function provenKvm({ guest, directory, ...proof }: KvmProof): Promise<boolean> {
  const { binary, cpuModel } = proof
  const qemu = [await fileIdentity(await findQemu(binary)), await qemuVersion(binary)]
  const circumstances = [whoAmI().scope.boot, ...qemu, cpuModel].join('\n')
  const answer = await hostFact('kvm', circumstances, async () => {
    // Loaded here, since almost always the answer is known: a boot takes a lot of code.
    const { boots } = await import('./boot-proof.js')
    const works = await boots('kvm', {
      ...proof,
      guest: await guest(),
      directory: await directory(),
      timeout: PROOF_TIMEOUT,
    })
    return works ? 'boots' : 'fails'
  })
  return answer === 'boots'
}
