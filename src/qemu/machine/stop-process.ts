import type { Duplex } from 'node:stream'
import { withDeadline } from '../deadline.js'
import type { QmpClient } from '../qmp/client.js'
import type { ExitStatus } from './exit-status.js'

/** Milliseconds for each way of ending QEMU, before the next and harder one. */
const QUIT_TIMEOUT = 3000
const TERM_TIMEOUT = 1000
const KILL_TIMEOUT = 5000

/** What ending a QEMU process takes of it. */
interface Stoppable {
  readonly pid: number
  readonly running: boolean
  readonly exited: Promise<ExitStatus>
  readonly qmp: QmpClient
  readonly agent: Duplex
  readonly wake: Duplex
}

/** Ends a QEMU process: `quit`, else SIGTERM, else SIGKILL. Never rejects. */
export async function stopProcess(machine: Stoppable): Promise<void> {
  const endsWithin = async (timeout: number) =>
    withDeadline(machine.exited, 'QEMU', { timeout }).then(
      () => true,
      () => false,
    )
  const signal = (name: NodeJS.Signals) => {
    // Only while it is still this process: a pid may be used again.
    if (machine.running) process.kill(machine.pid, name)
  }
  if (machine.running && machine.qmp.connected) {
    // QEMU may be gone before its answer is.
    machine.qmp.execute('quit', undefined, { timeout: QUIT_TIMEOUT }).catch(() => {})
    if (await endsWithin(QUIT_TIMEOUT)) return release(machine)
  }
  signal('SIGTERM')
  if (await endsWithin(TERM_TIMEOUT)) return release(machine)
  signal('SIGKILL')
  await endsWithin(KILL_TIMEOUT)
  release(machine)
}

function release(machine: Stoppable): void {
  machine.qmp.close()
  machine.agent.destroy()
  machine.wake.destroy()
}
