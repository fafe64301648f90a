import type { Vm } from '../../guest/vm.js'
import { VmControl } from '../../guest/vm-control.js'
import type { Liveness } from '../../params/liveness.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { DETAILS, type State } from '../definitions/types.js'
import type { AvailableState } from '../graph/available-state.js'
import type { Context } from '../graph/context.js'
import { ensure, ensureBoot } from '../graph/ensure.js'
import { type StartedMachine, type StartOptions, startMachine } from './start-machine.js'

/** A running machine that can be brought back to its state as often as needed. */
export class MachineInHand<M extends string = string, L extends Liveness = Liveness>
  implements AsyncDisposable
{
  readonly #definition: State<M, L>
  readonly #state: AvailableState
  readonly #context: Context
  readonly #options: StartOptions
  #started: StartedMachine
  #control: VmControl<M, L> | undefined
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(parts: {
    definition: State<M, L>
    state: AvailableState
    context: Context
    options: StartOptions
    started: StartedMachine
  }) {
    this.#definition = parts.definition
    this.#state = parts.state
    this.#context = parts.context
    this.#options = parts.options
    this.#started = parts.started
  }

  /** The process now; a reset may replace it. */
  get process(): MachineProcess {
    return this.#started.process
  }

  /** What it is restored from, as people call it: `debian/serving`, `debian/nginx booted`. */
  get source(): string {
    return this.#state.name
  }

  /** Seconds that it once took to get from the image to this state. */
  get worth(): number {
    return this.#state.worth
  }

  /** A handle to the machine. One that was handed out before is released. */
  handle(): Vm<M, L> {
    this.release('it was handed out again')
    const { machine, liveness, name } = this.#definition
    this.#control = new VmControl<M, L>({ machine: machine.name, liveness })
    this.#control.attach(this.process, name)
    return this.#control.vm
  }

  /**
   * Ends the handle that was handed out: every call of it rejects, now and later.
   *
   * @param reason - as a part of a sentence: `its test has ended`
   */
  release(reason: string): void {
    this.#control?.release(reason)
    this.#control = undefined
  }

  /**
   * Stops the machine's CPUs until the next reset, so that an idle machine costs no more than RAM.
   *
   * @returns whether it can be reset later
   */
  async rest(): Promise<boolean> {
    const { prepared, process } = this.#started
    this.release('it was given back')
    if (prepared.rewind === undefined || !process.running) return false
    try {
      await process.qmp.execute('stop')
      return true
    } catch {
      return false
    }
  }

  /**
   * Brings the machine back to its state: within its process where the backend can, else in a new
   * one. The handle is released.
   *
   * @throws VmStatesError as {@link openMachine}; the machine is closed then
   */
  async reset(signal?: AbortSignal): Promise<void> {
    this.release('it was reset')
    if (await rewind(this.#started)) return
    await this.#started.discard()
    try {
      const options = { ...this.#options, signal }
      this.#started = await start(this.#definition, this.#state, this.#context, options)
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** Ends the machine, and gives its state back. It never rejects, and may be called again. */
  close(): Promise<void> {
    this.release('it was closed')
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await this.#started.discard()
    await this.#state.release().catch(() => {})
  }
}

/**
 * Starts a machine in a state, up and ready, building the state first if it is not there. A disk
 * state is booted: by restoring its kept `boot`, or cold where the machine's definition says so.
 *
 * @throws VmStatesError whatever {@link ensure} throws, and what starting a machine throws
 */
export async function openMachine<M extends string, L extends Liveness>(
  definition: State<M, L>,
  context: Context,
  options: StartOptions,
): Promise<MachineInHand<M, L>> {
  const state = await ensureRunnable(definition, context, options.signal)
  try {
    const started = await start(definition, state, context, options)
    return new MachineInHand({ definition, state, context, options, started })
  } catch (error) {
    await state.release()
    throw error
  }
}

/** What a machine in this state is restored from: the state, or its kept boot. */
export async function ensureRunnable(
  definition: State,
  context: Context,
  signal?: AbortSignal,
): Promise<AvailableState> {
  const booted =
    definition.liveness === 'disk' && definition.machine[DETAILS].options.boot === 'live'
  return await (booted ? ensureBoot : ensure)(definition, context, { signal })
}

async function start(
  { machine }: State,
  state: AvailableState,
  context: Context,
  options: StartOptions,
): Promise<StartedMachine> {
  const started = await startMachine(machine, state, context, options)
  if (state.files.liveness === 'live') return started
  const control = new VmControl({ machine: machine.name, liveness: 'disk' })
  control.attach(started.process, state.state)
  try {
    const { readyTimeout } = machine[DETAILS].options
    await control.vm.ready({ timeout: readyTimeout, signal: options.signal })
    return started
  } catch (error) {
    await started.discard()
    throw error
  } finally {
    control.release('it has booted')
  }
}

/** @returns whether the machine is in its state again */
async function rewind({ prepared, process }: StartedMachine): Promise<boolean> {
  if (prepared.rewind === undefined || !process.running) return false
  try {
    for (const { hostPort } of await process.portForwards())
      await process.removePortForward(hostPort)
    await prepared.rewind(process)
    return true
  } catch {
    return false
  }
}
