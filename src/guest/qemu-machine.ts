import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { VmStatesError } from '../params/errors.js'
import { anySchema, optionsSchema, signalSchema } from '../params/options.js'
import { parse } from '../params/parse.js'
import { findRamWriterIn } from '../params/ram-writers.js'
import type { Patience } from '../qemu/deadline.js'
import { keysFor, keysOf } from '../qemu/machine/keys.js'
import { saveScreen } from '../qemu/machine/save-screen.js'
import type { QmpCommands, RunState } from '../qemu/qmp/commands.js'
import type { EventOptions } from '../qemu/qmp/event-log.js'
import type { QmpEvent } from '../qemu/qmp/message.js'
import type { QmpArguments } from '../qemu/qmp/options.js'
import { isHostReset } from '../qemu/qmp/reset-event.js'
import { checkTimeout } from './exec/options.js'
import type { GuestAccess } from './guest-access.js'
import { GuestError } from './guest-error.js'
import type { GuestProcess } from './guest-process.js'

const EVENT_OPTIONS = optionsSchema({
  match: anySchema,
  timeout: anySchema,
  signal: signalSchema.optional(),
})

/** Milliseconds that an event may take unless told. */
const EVENT_TIMEOUT = 60_000

/** Milliseconds of QEMU's pauses, and until the next keys: a guest's keyboard keeps only a few. */
const HOLD = 40
const GAP = 20

/** What QEMU does with a machine, whatever its guest is up to. */
export abstract class QemuMachine {
  readonly #access: GuestAccess

  /** @internal */
  constructor(access: GuestAccess) {
    this.#access = access
  }

  /**
   * Gives QEMU a command of its Machine Protocol. A machine that was given another one than `query-…` is not
   * used for further tests. (`QEMUMachine.qmp`, `.command`)
   *
   * @param args - as QEMU's QMP reference lists them
   * @param patience - `timeout` in milliseconds, 30,000 by default
   * @returns what QEMU returned
   * @throws GuestError `QMP_COMMAND_FAILED` with QEMU's words, `GUEST_GONE`, `TIMEOUT`
   */
  qmp<Name extends keyof QmpCommands>(
    command: Name,
    args?: QmpCommands[Name]['arguments'],
    patience?: Patience,
  ): Promise<QmpCommands[Name]['returns']>
  qmp(command: string, args?: QmpArguments, patience?: Patience): Promise<unknown>
  qmp(command: string, args?: QmpArguments, patience: Patience = {}): Promise<unknown> {
    return this.#access.call(this.qmp, async ({ process }) => {
      checkTimeout('qmp.timeout', patience.timeout)
      if (!command.startsWith('query-')) process.isAltered = true
      if (process.options.ram?.shared === false) refuseRamWriter(command, args)
      return await process.qmp.execute(command, args, patience)
    })
  }

  /**
   * QEMU's events since the machine was restored, one after the other as they come; ends with the machine.
   * (`QEMUMachine.get_qmp_events`)
   */
  events(): AsyncIterable<QmpEvent> {
    const { call } = this.#access
    const opened = call.bind(this.#access)
    return {
      async *[Symbol.asyncIterator]() {
        yield* await opened(QemuMachine.prototype.events, async ({ events }) => events)
      },
    }
  }

  /**
   * Waits for an event of QEMU's: the first since the machine was restored that no call has been given
   * yet. So it may be called after what leads to the event. (`QEMUMachine.event_wait`, `.events_wait`)
   *
   * ```ts
   * await vm.waitForEvent('DEVICE_DELETED', { match: { device: 'net1' } })
   * ```
   *
   * @param names - one, or several of which any will do
   * @param options - `match` says what its data must have at least: of objects, what is named; arrays and
   *   all else as they are, `null` too. `timeout` is in milliseconds, for all of the waiting; 60,000 by default
   * @throws GuestError `TIMEOUT`, `ABORTED`, `GUEST_GONE` if the machine ends first
   */
  waitForEvent(names: string | readonly string[], options: EventOptions = {}): Promise<QmpEvent> {
    const { timeout = EVENT_TIMEOUT, ...others } = options
    return this.#access.call(this.waitForEvent, async ({ events }) => {
      parse(EVENT_OPTIONS, options, 'waitForEvent.options')
      checkTimeout('waitForEvent.timeout', timeout)
      return await events.waitFor([names].flat(), { timeout, ...others })
    })
  }

  /** What the machine does, such as `running` or `paused`. */
  status(): Promise<RunState> {
    return this.#access.call(this.status, async ({ process }) => {
      const { status } = (await process.qmp.execute('query-status')) as { status: RunState }
      return status
    })
  }

  /** Stops the CPUs. The guest's clock stands still meanwhile. (`stop`) */
  pause(): Promise<void> {
    return this.#execute(this.pause, 'stop')
  }

  /** Lets the CPUs run again. (`cont`) */
  resume(): Promise<void> {
    return this.#execute(this.resume, 'cont')
  }

  /**
   * Presses the reset button: the guest boots anew, without having shut down. Wait for it with
   * {@link Vm.ready}. (`system_reset`)
   */
  reset(): Promise<void> {
    return this.#access.call(this.reset, async ({ process: { qmp } }) => {
      // Every call after this one is for the guest that boots.
      const isReset = qmp.waitForEvent('RESET', { match: isHostReset, timeout: EVENT_TIMEOUT })
      await Promise.all([qmp.execute('system_reset'), isReset])
    })
  }

  /**
   * Presses the power button: a guest that listens shuts itself down. {@link Vm.shutdown} waits for it too.
   * (`system_powerdown`)
   */
  powerButton(): Promise<void> {
    return this.#execute(this.powerButton, 'system_powerdown')
  }

  /**
   * What the display shows, as the bytes of a PNG file.
   *
   * @throws GuestError `NO_DISPLAY` for a machine without a graphics card
   */
  screenshot(): Promise<Buffer> {
    return this.#access.call(this.screenshot, async ({ process }) => {
      const { qmp, pid, options } = process
      const path = join(options.directory, 'screenshot.png')
      if (!(await saveScreen({ qmp, pid }, path))) {
        const hint = "Give the machine a graphics card: extraArgs: ['-device', 'VGA']."
        throw new VmStatesError('NO_DISPLAY', `${options.name} has no display`, { hint })
      }
      try {
        return await readFile(path)
      } finally {
        await rm(path, { force: true })
      }
    })
  }

  /**
   * Presses keys of the keyboard together, and lets go of them.
   *
   * @param combination - names of QEMU's `QKeyCode`, joined by `-`: `ctrl-alt-f2`, `ret`
   * @throws VmStatesError `INVALID_VALUE`; GuestError `QMP_COMMAND_FAILED` for a name that QEMU does not know
   */
  sendKeys(combination: string): Promise<void> {
    return this.#access.call(this.sendKeys, ({ process }) => press(process, keysOf(combination)))
  }

  /**
   * Types a text on a US keyboard, at some 10 characters a second.
   *
   * @throws VmStatesError `INVALID_VALUE` for a character that has no key
   */
  type(text: string): Promise<void> {
    return this.#access.call(this.type, async ({ process }) => {
      for (const keys of keysFor(text)) {
        // It throws where the handle stands for no machine any more: another test may have it.
        if (this.#access.process !== process) {
          throw new GuestError('GUEST_RESTORED', `${process.options.name} was restored`)
        }
        await press(process, keys)
      }
    })
  }

  #execute(method: unknown, command: string): Promise<void> {
    return this.#access.call(method, async ({ process }) => {
      await process.qmp.execute(command)
    })
  }
}

/** @throws VmStatesError `INVALID_VALUE` for a device that would write to the RAM of the machine's state */
function refuseRamWriter(command: string, args: QmpArguments | undefined): void {
  const found = findRamWriterIn(command, args)
  if (found === undefined) return
  const problem = `qmp is "${command} ${found}": it changes the RAM of a machine from outside of its guest, which would damage the state that it started from`
  throw new VmStatesError('INVALID_VALUE', problem, {
    hint: "Give the machine boot: 'cold', and start from a disk state.",
  })
}

/** QEMU queues what is pressed and let go of, with a pause after each; a restore does not empty its queue. */
async function press(process: GuestProcess, keys: readonly string[]): Promise<void> {
  process.isAltered = true
  const codes = keys.map((data) => ({ type: 'qcode', data }))
  await process.qmp.execute('send-key', { keys: codes, 'hold-time': HOLD })
  await delay(2 * keys.length * HOLD + GAP)
}
