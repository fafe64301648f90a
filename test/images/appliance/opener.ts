import type { DiskOpener } from '../../../src/images/appliance/open-disk.js'
import { chooseAccelerator } from '../../../src/qemu/accelerator/choose.js'
import { tinyGuest } from '../../support/tiny.js'
import type { Scratch } from '../scratch.js'

const BINARY = 'qemu-system-x86_64'
const CPU = 'qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt'

/** What opens disks in a test, but for the directory. */
export async function testOpener(scratch: Scratch): Promise<Omit<DiskOpener, 'directory'>> {
  const { accelerator } = await chooseAccelerator({
    ...{ binary: BINARY, cpuModel: CPU },
    guest: async () => (await tinyGuest()).directKernel,
    directory: async () => scratch.path('proof'),
  })
  return {
    ...{ store: scratch.store, binary: BINARY, accelerator, cpuModel: CPU },
    ...{ arch: 'x86_64', machineType: 'q35' },
  }
}
