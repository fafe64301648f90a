import { VmStatesError } from '../../params/errors.js'

/**
 * Refuses hosts on which machines cannot be run: QEMU's processes are watched through Linux's
 * `/proc` and `setpriv`.
 *
 * @throws VmStatesError `UNSUPPORTED_HOST`
 */
export function requireLinux(platform: NodeJS.Platform = process.platform): void {
  if (platform === 'linux') return
  throw new VmStatesError('UNSUPPORTED_HOST', `${platform} cannot run machines: this needs Linux`, {
    hint: 'Run it in a Linux virtual machine or container; KVM is not required.',
  })
}
