import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { admitMachines } from '../admission/admit-machines.js'
import type { Share, TakeOptions } from '../admission/allowance.js'
import { nameOf } from '../definitions/name-of.js'
import type { AnyState } from '../definitions/types.js'
import type { AvailableState } from '../graph/available-state.js'
import type { Context } from '../graph/context.js'
import { ensureRunnable } from '../graph/ensure.js'
import { bringUp } from './bring-up.js'
import { Handles } from './handles.js'
import {
  type StartedMachine,
  type StartedMachines,
  type StartOptions,
  startMachines,
} from './start-machines.js'

/** The running machines of a state, which can be brought back to it as often as needed. */
export class MachinesInHand<H = unknown> implements AsyncDisposable {
  readonly #definition: AnyState<H>
  readonly #state: AvailableState
  readonly #context: Context
  readonly #options: StartOptions
  readonly #share: Share
  #started: StartedMachines
  #handles: Handles<H> | undefined
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(parts: {
    definition: AnyState<H>
    state: AvailableState
    context: Context
    options: StartOptions
    share: Share
    started: StartedMachines
  }) {
    this.#definition = parts.definition
    this.#state = parts.state
    this.#context = parts.context
    this.#options = parts.options
    this.#share = parts.share
    this.#started = parts.started
  }

  /** Their processes now; a reset may replace them. */
  get processes(): readonly MachineProcess[] {
    return this.#machines.map(({ process }) => process)
  }

  /** Whether others on this host may have their memory once they are closed. */
  get takesFromOthers(): boolean {
    return this.#share.isShared
  }

  /** Seconds that it once took to get from the image to this state. */
  get worth(): number {
    return this.#state.worth
  }

  /** A handle to the machine, or handles by member. What was handed out before is released. */
  handle(): H {
    this.release('it was handed out again')
    this.#handles = new Handles(this.#definition)
    this.#handles.attach(this.#started)
    return this.#handles.held
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
   * Stops the CPUs until the next reset, so that idle machines cost no more than RAM.
   *
   * @returns whether they can be reset later
   */
  async rest(): Promise<boolean> {
    this.release('it was given back')
    if (!this.#machines.every(canRewind)) return false
    const stopped = this.#machines.map(({ process }) => process.qmp.execute('stop'))
    const results = await Promise.allSettled(stopped)
    return results.every(({ status }) => status === 'fulfilled')
  }

  /**
   * Brings the machines back to their state: within their processes where the backend can, else all
   * in new ones. Handles are released.
   *
   * @throws VmStatesError as {@link openMachines}; the machines are closed then
   */
  async reset(signal?: AbortSignal): Promise<void> {
    this.release('it was reset')
    const options = { ...this.#options, signal }
    try {
      if (await this.#rewound()) {
        return await bringUp(this.#definition, this.#state, this.#started, signal)
      }
      await this.#started.discard()
      this.#started = await start(this.#definition, this.#state, this.#context, options)
    } catch (error) {
      await this.close()
      throw error
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

  async #rewound(): Promise<boolean> {
    if (!this.#machines.every(canRewind)) return false
    return !(await Promise.all(this.#machines.map(rewind))).includes(false)
  }

  async #close(): Promise<void> {
    await this.#started.discard()
    await this.#share.release().catch(() => {})
    await this.#state.release().catch(() => {})
  }
}

/** How to start machines for a test. */
interface OpenOptions extends StartOptions, Pick<TakeOptions, 'isStuck'> {}

/**
 * Starts the machines of a state, up and ready, building the state first if it is not there. A disk
 * state is booted: by restoring its kept `boot`, or cold where a machine's definition says so.
 *
 * @throws VmStatesError whatever {@link ensureRunnable} throws, and what starting a machine throws
 */
export async function openMachines<H>(
  definition: AnyState<H>,
  context: Context,
  options: OpenOptions,
): Promise<MachinesInHand<H>> {
  const { signal } = options
  const state = await ensureRunnable(definition, context, { signal })
  let share: Share | undefined
  try {
    share = await admitMachines(definition, nameOf(definition), context, options)
    const started = await start(definition, state, context, options)
    return new MachinesInHand({ definition, state, context, options, share, started })
  } catch (error) {
    await share?.release()
    await state.release()
    throw error
  }
}

async function start(
  definition: AnyState,
  state: AvailableState,
  context: Context,
  options: StartOptions,
): Promise<StartedMachines> {
  const started = await startMachines(definition, state, context, options)
  try {
    await bringUp(definition, state, started, options.signal)
    return started
  } catch (error) {
    await started.discard()
    throw error
  }
}

function canRewind({ prepared, process }: StartedMachine): boolean {
  return prepared.rewind !== undefined && process.running
}

/** @returns whether the machine is in its state again */
async function rewind({ prepared, process }: StartedMachine): Promise<boolean> {
  try {
    for (const { hostPort } of await process.portForwards())
      await process.removePortForward(hostPort)
    await prepared.rewind?.(process)
    return true
  } catch {
    return false
  }
}
