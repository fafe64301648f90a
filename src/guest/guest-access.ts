import type { EventLog } from '../qemu/qmp/event-log.js'
import type { Channel } from './channel/channel.js'
import type { ConsoleInUse } from './console/console-in-use.js'
import type { OnCommand } from './exec/on-command.js'
import type { GuestProcess } from './guest-process.js'

/** A process whose guest can be talked to. */
export interface AttachedGuest {
  process: GuestProcess
  /** Through which it is talked to. */
  channel: Channel
  /** Its serial console, since the machine was restored. */
  console: ConsoleInUse
  /** QEMU's since the machine was restored. */
  events: EventLog
  /** Told of each command that begins, if someone wants to know. */
  onCommand: OnCommand | undefined
}

/** The way from a {@link Vm} to the guest that it stands for at the moment. */
export interface GuestAccess {
  /** The name of the state that the machine was last restored to, or is being built from. */
  readonly state: string | undefined
  /**
   * The process now.
   *
   * @throws GuestError if there is none
   */
  readonly process: GuestProcess
  /**
   * Runs one call of a {@link Vm}. An error of the guest's leaves with the console's tail, and with
   * the stack of whoever called.
   *
   * @param method - the public function that was called: stacks begin above it
   */
  call<T>(method: unknown, work: (guest: AttachedGuest) => Promise<T>): Promise<T>
}
