import { rebase } from '../qemu/qemu-img/rebase.js'
import type { CapturableMachine } from './backend.js'
import { backingOf } from './keep-disk.js'
import { writableDisks } from './live/disk-snapshot.js'

/**
 * Moves the disks of a machine that was made on a kept boot onto what the boot's own stand on. Only what
 * the boot wrote is copied. No QEMU may have them open.
 *
 * @throws VmStatesError `DISK_FULL`, `QEMU_IMG_FAILED`
 */
export async function leaveBoot({ disks, leavesBoot }: CapturableMachine): Promise<void> {
  if (!leavesBoot) return
  for (const { file } of writableDisks(disks)) {
    const boot = await backingOf(file)
    if (boot !== undefined) await rebase(file, await backingOf(boot.file))
  }
}
