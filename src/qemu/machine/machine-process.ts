import type { Duplex } from 'node:stream'
import { VmStatesError } from '../../params/errors.js'
import { type Patience, withDeadline } from '../deadline.js'
import type { QmpClient } from '../qmp/client.js'
import { cleanConsole } from './clean-console.js'
import { describeExit, type ExitStatus } from './exit-status.js'
import type { LaunchOptions } from './launch-options.js'
import {
  addPortForward,
  hasConnections,
  listPortForwards,
  type PortForward,
  removePortForward,
} from './port-forward.js'
import { processStartTime } from './proc-stat.js'
import type { RunningTime } from './running-time.js'
import type { SerialConsole } from './serial-console.js'
import { killProcess, stopProcess } from './stop-process.js'

const TAIL_BYTES = 4096

/** What a launch hands to a {@link MachineProcess}. */
interface MachineParts {
  options: LaunchOptions
  pid: number
  startTime: string
  commandLine: readonly string[]
  qmp: QmpClient
  agent: Duplex
  wake: Duplex
  runningTime: RunningTime
  serial: SerialConsole
  exited: Promise<ExitStatus>
}

/** A running QEMU. {@link launch} makes one; it ends by {@link close}, or by itself. */
export class MachineProcess implements AsyncDisposable {
  readonly options: LaunchOptions
  readonly pid: number
  /** When the process started, in the kernel's ticks since boot: with the pid, its identity. */
  readonly startTime: string
  /** The program and its arguments, as they were executed. */
  readonly commandLine: readonly string[]
  readonly qmp: QmpClient
  /** The host's end of the guest agent's channel, `org.qemu.guest_agent.0`. */
  readonly agent: Duplex
  /** The host's end of the port `org.vitest-vm-states.wake`. */
  readonly wake: Duplex
  /** For how long its CPUs have run. */
  readonly runningTime: RunningTime
  /** The serial console. */
  readonly serial: SerialConsole
  /** Settles when the process has ended and every event of QEMU's was seen. */
  readonly exited: Promise<ExitStatus>
  /** Whether it was given commands that a restore cannot undo: another restore needs a new process. */
  isAltered = false
  #hasForwards = false
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(parts: MachineParts) {
    this.options = parts.options
    this.pid = parts.pid
    this.startTime = parts.startTime
    this.commandLine = parts.commandLine
    this.qmp = parts.qmp
    this.agent = parts.agent
    this.wake = parts.wake
    this.runningTime = parts.runningTime
    this.serial = parts.serial
    this.exited = parts.exited
    // By its guest, too: device state need not say that a tray was closed when it was saved.
    // A guest that sleeps has stopped its devices, and QEMU would not let it run again.
    for (const event of ['DEVICE_TRAY_MOVED', 'SUSPEND', 'SUSPEND_DISK']) {
      this.qmp.on(event, () => {
        this.isAltered = true
      })
    }
  }

  /** The file of the serial console, written by QEMU from power-on. */
  get consoleFile(): string {
    return this.serial.file
  }

  /** Whether the process lives. */
  get running(): boolean {
    return processStartTime(this.pid) === this.startTime
  }

  /**
   * The end of what the serial console had since power-on, or since the restore.
   *
   * @param maxBytes - how much at most
   */
  consoleTail(maxBytes: number = TAIL_BYTES): Promise<string> {
    return this.serial.tail(maxBytes)
  }

  /** Presses the power button: a guest with an init system shuts itself down. */
  async powerButton(): Promise<void> {
    await this.qmp.execute('system_powerdown')
  }

  /**
   * Awaits that the guest powers itself off and QEMU ends. A reboot of the guest does not end it.
   *
   * @param patience.timeout - milliseconds
   * @throws VmStatesError `GUEST_NOT_SHUT_DOWN`, with the console's tail, if QEMU ended in any
   *   other way - a panic of the guest, a crash, `close()` - or did not end in time; `ABORTED`
   */
  async waitForShutdown(patience: Patience = {}): Promise<void> {
    const { name } = this.options
    const status = await withDeadline(this.exited, `the shutdown of ${name}`, patience).catch(
      async (error: VmStatesError) => {
        if (error.code !== 'TIMEOUT') throw error
        throw await this.#notShutDown(`did not power itself off within ${patience.timeout} ms`)
      },
    )
    if (status.code === 0 && status.shutdownReason === 'guest-shutdown') return
    throw await this.#notShutDown(`ended otherwise than by a shutdown: ${describeExit(status)}`)
  }

  /**
   * Forwards a TCP port of the host's loopback to the guest.
   *
   * @param hostPort - one that the host's kernel picks unless given
   * @throws VmStatesError `PORT_FORWARD_FAILED`
   */
  forwardPort(guestPort: number, hostPort = 0): Promise<PortForward> {
    this.#hasForwards = true
    return addPortForward(this.qmp, guestPort, hostPort)
  }

  /** The TCP forwards from the host's loopback that the machine has now. */
  portForwards(): Promise<PortForward[]> {
    return listPortForwards(this.qmp)
  }

  /**
   * Ends a forward.
   *
   * @throws VmStatesError `PORT_FORWARD_FAILED` if there is none on that port
   */
  removePortForward(hostPort: number): Promise<void> {
    return removePortForward(this.qmp, hostPort)
  }

  /** Whether the guest's user-mode network has TCP connections, from or to it, which outlive a forward. */
  async hasConnections(): Promise<boolean> {
    return this.options.network !== 'none' && (await hasConnections(this.qmp))
  }

  /** Ends all forwards. */
  async removePortForwards(): Promise<void> {
    if (!this.#hasForwards) return
    for (const { hostPort } of await this.portForwards()) await this.removePortForward(hostPort)
    this.#hasForwards = false
  }

  /**
   * Ends QEMU, without asking the guest: by `quit`, else SIGTERM, else SIGKILL. It never rejects,
   * and may be called again.
   */
  close(): Promise<void> {
    this.#closing ??= stopProcess(this)
    return this.#closing
  }

  /** Ends QEMU at once, where nobody will look at its files. It never rejects. */
  kill(): Promise<void> {
    this.#closing ??= killProcess(this)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #notShutDown(what: string): Promise<VmStatesError> {
    const tail = cleanConsole(await this.consoleTail())
    return new VmStatesError('GUEST_NOT_SHUT_DOWN', `the guest of ${this.options.name} ${what}`, {
      hint: tail === '' ? 'Its console is empty.' : `The end of its console:\n${tail}`,
    })
  }
}
