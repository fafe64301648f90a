import { VmStatesError } from '../params/errors.js'
import { withDeadline } from '../qemu/deadline.js'
import { describeExit } from '../qemu/machine/exit-status.js'
import type { MachineProcess } from '../qemu/machine/machine-process.js'

/** Milliseconds until QEMU has written out its metadata and is gone. */
const QUIT_TIMEOUT = 60_000

/**
 * Ends a machine whose files are to be kept: only a QEMU that ended in good order has left complete
 * images behind.
 *
 * @throws VmStatesError `QEMU_EXITED`, `TIMEOUT`
 */
export async function quit(process: MachineProcess): Promise<void> {
  process.qmp.execute('quit').catch(() => {})
  const status = await withDeadline(process.exited, `the end of ${process.options.name}`, {
    timeout: QUIT_TIMEOUT,
  })
  if (status.code === 0 && status.shutdownReason === 'host-qmp-quit') return
  throw new VmStatesError(
    'QEMU_EXITED',
    `QEMU of ${process.options.name} did not end in good order: ${describeExit(status)}`,
  )
}
