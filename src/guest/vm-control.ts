import type { ErrorCode } from '../params/error-codes.js'
import { isVmStatesError, type VmStatesError } from '../params/errors.js'
import type { Liveness } from '../params/liveness.js'
import { withDeadline } from '../qemu/deadline.js'
import { describeExit, type ExitStatus } from '../qemu/machine/exit-status.js'
import { EventLog } from '../qemu/qmp/event-log.js'
import { isHostReset } from '../qemu/qmp/reset-event.js'
import type { AgentCallOptions } from './agent/client.js'
import type { Channel } from './channel/channel.js'
import { type GuestLink, openChannel } from './channel/open-channel.js'
import { ConsoleInUse } from './console/console-in-use.js'
import { consoleTailForError } from './console/tail.js'
import type { OnCommand } from './exec/on-command.js'
import { traceCommands } from './exec/trace-commands.js'
import { findings } from './findings.js'
import type { AttachedGuest, GuestAccess } from './guest-access.js'
import { GuestError } from './guest-error.js'
import type { GuestProcess } from './guest-process.js'
import { Vm } from './vm.js'

/** Milliseconds that QEMU gets to end after its end of the channel has closed. */
const EXIT_GRACE = 1000

/** Errors that say little about why, if the guest is the reason. */
const UNEXPLAINED = new Set<ErrorCode>([
  'TIMEOUT',
  'GUEST_AGENT_MISSING',
  'GUEST_AGENT_SILENT',
  'GUEST_SSH_MISSING',
  'GUEST_SSH_LOST',
  'GUEST_CONSOLE_MISSING',
  'GUEST_CONSOLE_LOST',
  'GUEST_GONE',
  'GUEST_NOT_READY',
  'GUEST_NOT_SHUT_DOWN',
])

interface HandledGuest extends AttachedGuest {
  /** Another one after each boot. */
  channel: Channel
  /** The way to the guest, if not through the agent. */
  link: GuestLink | undefined
  detach(reason: () => GuestError): void
}

const AWAIT = 'await every call to a vm before its test ends, and keep no handle beyond it'

/**
 * The owner's side of a {@link Vm}: says which process it stands for. The handle survives the swap of
 * its process by a restore.
 */
export class VmControl<M extends string = string, L extends Liveness = Liveness>
  implements GuestAccess
{
  /** The handle for users. */
  readonly vm: Vm<M, L>
  readonly #name: string
  readonly #onCommand: OnCommand | undefined
  #state: string | undefined
  #guest: HandledGuest | undefined
  #lastProcess: GuestProcess | undefined
  #released: { reason: string; hint: string } | undefined

  /**
   * @param identity - the machine's name, what kind of state the handle is for, what the machine is
   *   called in errors, if not by its name, and who is told of its commands
   */
  constructor(identity: {
    machine: M
    liveness: L
    name?: string | undefined
    onCommand?: OnCommand | undefined
  }) {
    const { machine, liveness, name = machine, onCommand } = identity
    this.#name = name
    this.#onCommand = traceCommands(name, onCommand)
    this.vm = new Vm(machine, liveness, this)
  }

  get state(): string | undefined {
    return this.#state
  }

  get process(): GuestProcess {
    return this.#require().process
  }

  /**
   * Makes the handle stand for a process. Calls that are under way on an earlier one reject with
   * `GUEST_RESTORED`. Nothing is sent to the guest before the next call.
   *
   * @param state - the name of the state that the process was restored to, if it was
   * @param link - the way to its guest, if not through the agent; it stays the caller's
   */
  attach(process: GuestProcess, state?: string, link?: GuestLink): void {
    this.detach()
    const gone = (status: ExitStatus | undefined) => {
      if (this.#guest === guest) guest.channel.close(() => this.#goneError(status))
    }
    const onClose = () => {
      withDeadline(process.exited, 'QEMU', { timeout: EXIT_GRACE }).then(gone, () =>
        gone(undefined),
      )
    }
    process.exited.then(gone)
    process.agent.on('close', onClose)
    const console = new ConsoleInUse(process.serial, link?.shell)
    process.exited.then((status) => console.feed.gone(() => this.#goneError(status)))
    const events = new EventLog(process.qmp)
    const offReset = process.qmp.onAny((event) => {
      // The firmware resets a machine once more: a boot may be one of several until the guest first answers.
      if (event.name !== 'RESET') return
      if (isHostReset(event) || guest.channel.answered) this.#beginAnew(guest)
    })
    const detach = (reason: () => GuestError) => {
      process.agent.off('close', onClose)
      offReset()
      guest.channel.close(reason)
      events.end(reason)
      console.feed.detach(reason)
    }
    const channel = openChannel(process, link)
    const guest = { process, link, channel, console, events, onCommand: this.#onCommand, detach }
    this.#guest = guest
    this.#state = state
    this.#lastProcess = process
  }

  /** Takes the handle off its process, before that is ended or replaced. */
  detach(): void {
    this.#guest?.detach(() => this.#restoredError())
    this.#guest = undefined
  }

  /** What was under way in the guest is no more. Its console and the machine's events go on. */
  #beginAnew(guest: HandledGuest): void {
    guest.channel.close(() => this.#rebootedError())
    guest.channel = openChannel(guest.process, guest.link)
  }

  /**
   * Ends the handle: every call, now and later, rejects.
   *
   * @param reason - why, as a part of a sentence: `its test has ended`
   * @param hint - what to do about it
   */
  release(reason: string, hint = AWAIT): void {
    this.#released ??= { reason, hint }
    const released = this.#released
    this.#guest?.detach(() => this.#releasedError(released))
    this.#guest = undefined
  }

  /**
   * Waits until the guest answers, whatever the guest is doing.
   *
   * @throws GuestError `GUEST_AGENT_MISSING`, `GUEST_SSH_MISSING`, `GUEST_SSH_REFUSED`, `GUEST_CONSOLE_MISSING`,
   *   `GUEST_LOGIN_FAILED`, `GUEST_GONE`, `ABORTED`
   */
  answers(patience: AgentCallOptions): Promise<void> {
    return this.call(this.answers, ({ channel }) => channel.connect(patience))
  }

  async call<T>(method: unknown, work: (guest: AttachedGuest) => Promise<T>): Promise<T> {
    const caller: { stack?: string } = {}
    Error.captureStackTrace(caller, method as () => unknown)
    try {
      return await work(this.#require())
    } catch (error) {
      // What is wrong with the call itself has nothing to do with the guest.
      if (!isVmStatesError(error) || error.code === 'INVALID_VALUE') throw error
      throw await this.#complete(GuestError.from(await this.#nameEnd(error)), caller.stack ?? '')
    }
  }

  async #complete(error: GuestError, stack: string): Promise<GuestError> {
    const frames = stack.split('\n').slice(1).join('\n')
    const process = this.#lastProcess
    if (process === undefined) return error.complete({ path: '', text: '' }, [], frames)
    const tail = await consoleTailForError(process)
    const found = UNEXPLAINED.has(error.code) ? await findings(tail, this.#guest) : []
    return error.complete(tail, found, frames)
  }

  /** What QEMU could not be asked any more, by its cause: that it has ended, and how. */
  async #nameEnd(error: VmStatesError): Promise<VmStatesError> {
    if (error.code !== 'QMP_CONNECTION_LOST' || this.#lastProcess === undefined) return error
    return await withDeadline(this.#lastProcess.exited, 'QEMU', { timeout: EXIT_GRACE }).then(
      (status) => this.#goneError(status),
      () => error,
    )
  }

  #require(): AttachedGuest {
    if (this.#released !== undefined) throw this.#releasedError(this.#released)
    if (this.#guest === undefined) {
      throw new GuestError('GUEST_GONE', `${this.#name} is not running`)
    }
    return this.#guest
  }

  #restoredError(): GuestError {
    const message = `${this.#name} was restored to a state while this call was under way`
    return new GuestError('GUEST_RESTORED', message)
  }

  #rebootedError(): GuestError {
    const message = `${this.#name} was reset and boots anew: this call was under way`
    return new GuestError('GUEST_REBOOTED', message, {
      hint: 'vm.ready() waits until it is up again; vm.reboot() is for reboots that are meant',
    })
  }

  #releasedError({ reason, hint }: { reason: string; hint: string }): GuestError {
    const message = `${this.#name} can no longer be used: ${reason}`
    return new GuestError('GUEST_RELEASED', message, { hint })
  }

  #goneError(status: ExitStatus | undefined): GuestError {
    return new GuestError(
      'GUEST_GONE',
      status === undefined
        ? `the channel to the guest of ${this.#name} was closed`
        : `${this.#name} is no longer running: QEMU ended (${describeExit(status)})`,
    )
  }
}
