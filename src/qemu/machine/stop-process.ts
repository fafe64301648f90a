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
  if (machine.running && machine.qmp.connected) {
    // QEMU may be gone before its answer is.
    machine.qmp.execute('quit', undefined, { timeout: QUIT_TIMEOUT }).catch(() => {})
    if (await endsWithin(machine, QUIT_TIMEOUT)) return release(machine)
  }
  signal(machine, 'SIGTERM')
  if (await endsWithin(machine, TERM_TIMEOUT)) return release(machine)
  await killProcess(machine)
}

/** Ends a QEMU process without asking it: its files are not to be used any more. Never rejects. */
export async function killProcess(machine: Stoppable): Promise<void> {
  signal(machine, 'SIGKILL')
  await endsWithin(machine, KILL_TIMEOUT)
  release(machine)
}

function endsWithin({ exited }: Stoppable, timeout: number): Promise<boolean> {
  return withDeadline(exited, 'QEMU', { timeout }).then(
    () => true,
    () => false,
  )
}

/** Only while it is still this process: a pid may be used again. */
function signal({ running, pid }: Stoppable, name: NodeJS.Signals): void {
  if (running) process.kill(pid, name)
}

function release(machine: Stoppable): void {
  machine.qmp.close()
  machine.agent.destroy()
  machine.wake.destroy()
}
