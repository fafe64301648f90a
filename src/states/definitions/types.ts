import type { Vm } from '../../guest/vm.js'
import type { Liveness } from '../../params/liveness.js'
import type { MachineOptions, ParsedMachineOptions } from '../../params/machine.js'
import type { LiveStateOptions, ParsedStateOptions, StateOptions } from '../../params/state.js'

export type { Liveness, LiveStateOptions, MachineOptions, StateOptions, Vm }

/**
 * Takes a machine that was restored to the parent state to the new one. What it leaves in the guest
 * is the state. It runs once; from then on the state is restored.
 */
export type Setup<M extends string = string, L extends Liveness = Liveness> = (
  vm: Vm<M, L>,
) => unknown

/** What further states can be defined on: a state, or a machine's image as it is. */
export interface Extendable<M extends string, L extends Liveness> {
  /**
   * Defines a disk state on this one: the machine is started in this state, `setup` changes it, it
   * shuts down cleanly, and its disks are kept.
   *
   * @param name - unique in the machine; letters, digits, `.`, `_` and `-`
   * @throws VmStatesError `INVALID_VALUE` for a bad name or option, `DUPLICATE_NAME` if the machine
   *   has such a state already
   */
  state(name: string, setup: Setup<M, L>, options?: StateOptions): State<M, 'disk'>

  /**
   * Defines a live state on this one: like {@link Extendable.state}, but what is kept is the running
   * machine, with its disks, RAM and devices.
   *
   * @throws VmStatesError as {@link Extendable.state}
   */
  live(name: string, setup: Setup<M, L>, options?: LiveStateOptions): State<M, 'live'>
}

/**
 * A named point that a machine can be restored to: `disk` with the machine off, `live` with disks,
 * RAM and devices.
 *
 * @typeParam M - the machine's name
 * @typeParam L - what the state holds
 */
export interface State<M extends string = string, L extends Liveness = Liveness>
  extends Extendable<M, L> {
  readonly machine: MachineDefinition<M>
  readonly name: string
  readonly liveness: L
  /** How the state comes about; used by the package itself. */
  readonly [DETAILS]: StateDetails
}

/** The definition of a QEMU virtual machine. Where a state is asked for, it stands for its `root`. */
export interface MachineDefinition<M extends string = string> extends Extendable<M, 'disk'> {
  readonly name: M
  /** The state of the image as it is. */
  readonly root: State<M, 'disk'>
  readonly [DETAILS]: MachineDetails
}

/** Registered symbols, since the loader of a states file may bring a second copy of this module. */
export const DETAILS: unique symbol = Symbol.for('vitest-vm-states.definition')

/** The file that a definition was written in. */
export interface Origin {
  /** Absolute path. */
  readonly file: string
  /** The file's content when the definition was made. */
  readonly text: string
}

export interface StateDetails {
  readonly kind: 'state'
  readonly origin: Origin | undefined
  readonly options: ParsedStateOptions
  /** The state that it is built on and what is done there; a root has neither. */
  readonly step: { readonly parent: State; readonly setup: Setup } | undefined
}

export interface MachineDetails {
  readonly kind: 'machine'
  readonly origin: Origin | undefined
  readonly options: ParsedMachineOptions
  /** Every state of the machine by name, the root first. */
  readonly states: Map<string, State>
}
