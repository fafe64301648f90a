import type { ImageTarget } from '../image-backend.js'
import { requireMonitor, runningDisks } from './running-disks.js'

/**
 * Whether a machine runs on the images (avocado-i2n: `check_root` of a machine's states). One that
 * is paused does not. Changes nothing.
 *
 * @throws VmStatesError `MACHINE_NOT_RUNNING` without a monitor, `DISK_NOT_IN_MACHINE`
 */
export async function checkBoot(target: ImageTarget): Promise<boolean> {
  const monitor = requireMonitor(target)
  await runningDisks(monitor, target.disks)
  const { running } = (await monitor.execute('query-status')) as { running: boolean }
  return running
}
