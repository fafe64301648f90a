import type { Duplex } from 'node:stream'
import type { Patience } from '../qemu/deadline.js'
import type { ExitStatus } from '../qemu/machine/exit-status.js'
import type { SerialConsole } from '../qemu/machine/serial-console.js'
import type { QmpClient } from '../qemu/qmp/client.js'

/** What a {@link Vm} needs of the process that runs its machine: a part of `MachineProcess`. */
export interface GuestProcess {
  readonly options: {
    readonly name: string
    readonly directory: string
    /** Its RAM as a file, which is a state's where it is not shared. */
    readonly ram?: { readonly shared: boolean } | undefined
  }
  readonly pid: number
  readonly qmp: Pick<QmpClient, 'execute' | 'onAny' | 'waitForEvent' | 'closed'>
  /** Whether QEMU may have been changed so that another restore needs a new one. */
  isAltered: boolean
  /** The host's end of the guest agent's channel, `org.qemu.guest_agent.0`. */
  readonly agent: Duplex
  readonly serial: Pick<SerialConsole, 'start' | 'size' | 'next' | 'write' | 'transcript'>
  /** Absolute path of the serial console's log, written from power-on. */
  readonly consoleFile: string
  /** The end of the serial console as it came over the line, `maxBytes` at most. */
  consoleTail(maxBytes?: number): Promise<string>
  readonly running: boolean
  readonly exited: Promise<ExitStatus>
  waitForShutdown(patience?: Patience): Promise<void>
  forwardPort(guestPort: number, hostPort?: number): Promise<{ hostPort: number }>
}
