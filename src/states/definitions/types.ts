import type { Vm } from '../../guest/vm.js'
import type { Liveness } from '../../params/liveness.js'
import type { MachineOptions as MachineParams, ParsedMachineOptions } from '../../params/machine.js'
import type { LiveStateOptions, ParsedStateOptions, StateOptions } from '../../params/state.js'

export type { Liveness, LiveStateOptions, StateOptions, Vm }

/** Options of a machine as a user writes them. */
export interface MachineOptions extends Omit<MachineParams, 'ready' | 'afterRestore'> {
  /**
   * Called with the machine after each restore for a test, when its clock and random numbers are right
   * and before the test's first line. What it throws fails the restore.
   */
  afterRestore?: ((vm: Vm) => unknown) | undefined
  /**
   * Waits, once the agent of a machine that was powered on answers, until it is ready for a setup or a
   * test; `vm.ready()` waits for its init system, as is done by default.
   */
  ready?: ((vm: Vm) => unknown) | undefined
}

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
 * What the graph can make available: a state of a machine, or of an environment.
 *
 * @typeParam H - what setups and tests get to hold: a handle to the machine, or handles by member
 */
export interface AnyState<H = unknown> {
  readonly name: string
  readonly liveness: Liveness
  /** How the state comes about; used by the package itself. */
  readonly [DETAILS]: StateDetails<H>
}

/**
 * A named point that a machine can be restored to: `disk` with the machine off, `live` with disks,
 * RAM and devices.
 *
 * @typeParam M - the machine's name
 * @typeParam L - what the state holds
 */
export interface State<M extends string = string, L extends Liveness = Liveness>
  extends Extendable<M, L>,
    AnyState<Vm<M, L>> {
  readonly machine: MachineDefinition<M>
  readonly liveness: L
}

/** What states belong to: a machine or an environment. The names of both are of one namespace. */
export interface Definition {
  readonly name: string
  readonly [DETAILS]: DefinitionDetails
}

/** The definition of a QEMU virtual machine. Where a state is asked for, it stands for its `root`. */
export interface MachineDefinition<M extends string = string> extends Extendable<M, 'disk'> {
  readonly name: M
  /** The state of the image as it is. */
  readonly root: State<M, 'disk'>
  readonly [DETAILS]: MachineDetails
}

/** Handles to the machines of an environment, by member. */
export type Vms = Readonly<Record<string, Vm>>

/** The same machines, in a state of this kind. */
export type VmsIn<V extends Vms, L extends Liveness> = {
  readonly [Member in keyof V]: V[Member] extends Vm<infer M> ? Vm<M, L> : never
}

/** What an environment is made of: states by member; a machine stands for its root. */
export type Members = Readonly<Record<string, MachineDefinition | State>>

/** Handles to machines that are each in the state that a member names. */
export type VmsOf<D extends Members> = {
  readonly [Member in keyof D]: D[Member] extends State<infer M, infer L>
    ? Vm<M, L>
    : D[Member] extends MachineDefinition<infer M>
      ? Vm<M, 'disk'>
      : never
}

/** Takes the machines of an environment from one state to the next, as {@link Setup} does one. */
export type JointSetup<V extends Vms = Vms> = (vms: V) => unknown

/** What further states of an environment can be defined on. */
export interface JointlyExtendable<V extends Vms> {
  /**
   * Defines a disk state of the whole environment on this one: all machines are started, `setup`
   * changes them, they shut down cleanly, and the disks of all are kept, or of none.
   *
   * @param name - unique in the environment; letters, digits, `.`, `_` and `-`
   * @throws VmStatesError as {@link Extendable.state}
   */
  state(
    name: string,
    setup: JointSetup<V>,
    options?: StateOptions,
  ): EnvironmentState<VmsIn<V, 'disk'>>

  /**
   * Defines a live state of the whole environment on this one: the machines are stopped together,
   * and kept with their disks, RAM and devices.
   *
   * @throws VmStatesError as {@link Extendable.state}
   */
  live(
    name: string,
    setup: JointSetup<V>,
    options?: LiveStateOptions,
  ): EnvironmentState<VmsIn<V, 'live'>>
}

/**
 * A named point that all machines of an environment can be restored to, as they were at one moment.
 *
 * @typeParam V - the handles to its machines, by member
 */
export interface EnvironmentState<V extends Vms = Vms> extends JointlyExtendable<V>, AnyState<V> {
  readonly environment: EnvironmentDefinition
}

/** The definition of several machines whose states belong together. */
export interface EnvironmentDefinition<V extends Vms = Vms> extends JointlyExtendable<V> {
  readonly name: string
  readonly [DETAILS]: EnvironmentDetails<V>
}

/** Registered symbols, since the loader of a states file may bring a second copy of this module. */
export const DETAILS: unique symbol = Symbol.for('vitest-vm-states.definition')

/** The one member of a machine's own states. */
export const ONLY_MEMBER = 'vm'

/** The file that a definition was written in. */
export interface Origin {
  /** Absolute path. */
  readonly file: string
  /** The file's content when the definition was made. */
  readonly text: string
}

/** One machine of a state, and the kind of state that it is in. */
export interface Member {
  readonly machine: MachineDefinition
  readonly liveness: Liveness
}

export interface StateDetails<H = unknown> {
  readonly kind: 'state' | 'environment-state'
  /** The machine or the environment that the state is one of. */
  readonly owner: Definition
  /** Its machines; a machine's own state has {@link ONLY_MEMBER}. */
  readonly members: Readonly<Record<string, Member>>
  /** Makes of the handles by member what setups and tests get to hold. */
  hold(vms: Vms): H
  readonly origin: Origin | undefined
  readonly options: ParsedStateOptions
  /** The state that it is built on and what is done there; a root has neither. */
  readonly step:
    | { readonly parent: AnyState; readonly setup: (held: unknown) => unknown }
    | undefined
  /** What the root of an environment consists of, by member. */
  readonly sources?: Readonly<Record<string, State>>
}

interface DefinitionDetails {
  readonly kind: 'machine' | 'environment'
  readonly origin: Origin | undefined
  /** Every state of its own by name: a machine's root first, an environment without its root. */
  readonly states: ReadonlyMap<string, AnyState>
}

export interface MachineDetails extends DefinitionDetails {
  readonly kind: 'machine'
  readonly options: ParsedMachineOptions
  readonly states: Map<string, State>
}

export interface EnvironmentDetails<V extends Vms = Vms> extends DefinitionDetails {
  readonly kind: 'environment'
  /** The members, each in its own state: what the first states of the environment are built on. */
  readonly root: EnvironmentState<V>
  readonly states: Map<string, EnvironmentState>
}
