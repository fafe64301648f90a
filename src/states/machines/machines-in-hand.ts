import type { OnCommand } from '../../guest/exec/on-command.js'
import type { Vm } from '../../guest/vm.js'
import { tracer } from '../../params/trace.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { admitMachines } from '../admission/admit-machines.js'
import type { Share, TakeOptions } from '../admission/allowance.js'
import { eachMember } from '../definitions/each-member.js'
import { nameOf } from '../definitions/name-of.js'
import type { AnyState } from '../definitions/types.js'
import type { AvailableState } from '../graph/available-state.js'
import type { Context } from '../graph/context.js'
import { ensureRunnable } from '../graph/ensure-runnable.js'
import { bringUp } from './bring-up.js'
import { Handles } from './handles.js'
import {
  type StartedMachine,
  type StartedMachines,
  type StartOptions,
  startMachines,
} from './start-machines.js'
import { stopTogether } from './stop-together.js'

const trace = tracer('restore')

/** What machines are started from, and start from again. */
interface Parts<H> {
  definition: AnyState<H>
  /** Released with the machines. */
  state: AvailableState
  context: Context
  /** For all of them; released with them. */
  share: Share
  signal?: AbortSignal | undefined
  viewing?: StartOptions['viewing']
}

/** The machines of a state, which can be brought back to it as often as needed. */
export class MachinesInHand<H = unknown> implements AsyncDisposable {
  readonly #parts: Parts<H>
  #started: StartedMachines
  #handles: Handles<H> | undefined
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(parts: Parts<H>, started: StartedMachines) {
    this.#parts = parts
    this.#started = started
  }

  /** The machines now, by member; a reset may replace them. */
  get machines(): StartedMachines['machines'] {
    return this.#started.machines
  }

  /** What they are machines of. */
  get definition(): AnyState<H> {
    return this.#parts.definition
  }

  /** What they were started from; there until they are closed. */
  get state(): AvailableState {
    return this.#parts.state
  }

  /** Their processes now; a reset may replace them. */
  get processes(): readonly MachineProcess[] {
    return this.#machines.map(({ process }) => process)
  }

  /** Whether others on this host may have their memory once they are closed. */
  get takesFromOthers(): boolean {
    return this.#parts.share.isShared
  }

  /** Seconds that it once took to get from the image to this state. */
  get worth(): number {
    return this.#parts.state.worth
  }

  /**
   * A handle to the machine, or handles by member. What was handed out before is released.
   *
   * @param onCommand - who is told of the commands of a member
   */
  handle(onCommand?: (member: string) => OnCommand): H {
    this.release('it was handed out again')
    this.#handles = new Handles(
      this.#parts.definition,
      onCommand && ((_label, member) => onCommand(member)),
    )
    this.#handles.attach(this.#started)
    return this.#handles.held
  }

  /** The handle to one machine that was handed out; where none is, a new one. */
  vm(member: string): Vm {
    if (this.#handles === undefined) this.handle()
    return (this.#handles as Handles<H>).vm(member)
  }

  /**
   * Ends what was handed out: every call rejects, now and later.
   *
   * @param reason - as a part of a sentence: `its test has ended`
   */
  release(reason: string): void {
    this.#handles?.release(reason)
    this.#handles = undefined
  }

  /**
   * Lets machines run that are in their state, until a test can have them.
   *
   * @throws VmStatesError as {@link bringUp}
   */
  async resume(signal?: AbortSignal): Promise<void> {
    const { definition, state } = this.#parts
    await bringUp(definition, state, this.#started, signal)
  }

  /**
   * Prepares machines that are in their state to be resumed fast.
   *
   * @throws VmStatesError as {@link StartedMachines.warmUp}
   */
  async warmUp(signal?: AbortSignal): Promise<void> {
    await this.#started.warmUp(signal)
  }

  /** Whether {@link rewind} may succeed. */
  get canRewind(): boolean {
    return this.#machines.every((machine) => machine.canRewind())
  }

  /**
   * Brings the machines back to their state within their processes, with their CPUs stopped, where the
   * backend can. Handles are released.
   *
   * @returns whether they are in their state
   */
  async rewind(): Promise<boolean> {
    this.release('it was given back')
    const { canRewind } = this
    const rewound = canRewind
      ? await Promise.all(this.#machines.map((machine) => machine.rewind()))
      : [false]
    const isBack = !rewound.includes(false)
    trace('%s: %s', nameOf(this.definition), isBack ? 'back in its state' : 'needs a new process')
    return isBack
  }

  /** Frees the host's ports that lead to them. @returns whether they are free; it never rejects */
  async endForwards(): Promise<boolean> {
    for (const { link } of this.#machines) link?.drop()
    const ended = this.processes.map((process) => process.removePortForwards())
    const results = await Promise.allSettled(ended)
    return results.every(({ status }) => status === 'fulfilled')
  }

  /**
   * Brings the machines back to their state, up and ready: within their processes where the backend
   * can, else all in new ones. Handles are released.
   *
   * @throws VmStatesError as {@link openMachines}; the machines are closed then
   */
  async reset(signal?: AbortSignal): Promise<void> {
    this.release('it was reset')
    try {
      if (!(await this.rewind())) {
        await this.#started.discard()
        this.#started = await start({ ...this.#parts, signal })
      }
      await this.resume(signal)
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** Stops the CPUs of all at one moment. Never rejects: a machine that has ended stands still too. */
  async stop(): Promise<void> {
    await stopTogether(this.processes).catch(() => {})
  }

  /**
   * Has the guests that are not off yet shut down, all at once.
   *
   * @throws GuestError `GUEST_NOT_SHUT_DOWN`, `GUEST_AGENT_MISSING`; the others are off then
   */
  async shutDown(): Promise<void> {
    const handles = new Handles(this.definition)
    handles.attach(this.#started)
    try {
      await eachMember(this.machines, async ({ process }, member) => {
        if (process.running) await handles.vm(member).shutdown()
        await process.waitForShutdown()
      })
    } finally {
      handles.release('it was shut down')
    }
  }

  /** Ends the machines, and gives their state back. It never rejects, and may be called again. */
  close(): Promise<void> {
    this.release('it was closed')
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get #machines(): readonly StartedMachine[] {
    return Object.values(this.#started.machines)
  }

  async #close(): Promise<void> {
    const { share, state } = this.#parts
    await this.#started.discard()
    await share.release().catch(() => {})
    await state.release().catch(() => {})
  }
}

/** How to start machines. */
export interface OpenOptions extends Pick<TakeOptions, 'isStuck' | 'onWaiting'> {
  signal?: AbortSignal | undefined
  /** The state of the machines if it was made available before; released with them. */
  state?: AvailableState
  viewing?: StartOptions['viewing']
  /** Given machines that did not get up, before they are closed. It must not reject. */
  onFailure?: ((machines: MachinesInHand) => Promise<void>) | undefined
}

/**
 * Starts the machines of a state, up and ready, building the state first if it is not there. A disk
 * state is booted: by restoring its kept `boot`, or cold where a machine's definition says so.
 *
 * @throws VmStatesError whatever {@link ensureRunnable} throws, and what starting a machine throws
 */
export async function openMachines<H>(
  definition: AnyState<H>,
  context: Context,
  options: OpenOptions = {},
): Promise<MachinesInHand<H>> {
  const { signal, viewing } = options
  const state = options.state ?? (await ensureRunnable(definition, context, { signal }))
  let share: Share
  try {
    share = await admitMachines(definition, nameOf(definition), context, options)
  } catch (error) {
    await state.release()
    throw error
  }
  const machines = await startInHand({ definition, state, context, share, signal, viewing })
  try {
    await machines.resume(signal)
    return machines
  } catch (error) {
    await options.onFailure?.(machines)
    await machines.close()
    throw error
  }
}

/**
 * Starts the machines of a state, with their CPUs stopped.
 *
 * @throws VmStatesError what starting a machine throws; what was to be released with them is
 */
export async function startInHand<H>(parts: Parts<H>): Promise<MachinesInHand<H>> {
  try {
    return new MachinesInHand(parts, await start(parts))
  } catch (error) {
    await parts.share.release()
    await parts.state.release()
    throw error
  }
}

function start(parts: Parts<unknown>): Promise<StartedMachines> {
  const { definition, state, context, signal, viewing } = parts
  return startMachines(definition, state, context, { purpose: 'test', signal, viewing })
}
