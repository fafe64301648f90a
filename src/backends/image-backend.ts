import type { Liveness } from '../params/liveness.js'
import type { Disk } from '../qemu/machine/launch-options.js'
import type { QmpClient } from '../qemu/qmp/client.js'

/** What an image backend works on: the disks of one machine, which are kept in step. */
export interface ImageTarget {
  /** At least one; writable qcow2 images. */
  disks: readonly Disk[]
  /** The machine that runs on them, where one does; only the `live` backend can work with it. */
  process?: { readonly qmp: QmpClient }
}

/** A state of a target: what every one of its disks has. */
export interface StateRecord {
  /** The tag, however odd. */
  name: string
  liveness: Liveness
  /** When it was set. */
  date: Date
  /** Bytes of RAM and device state; 0 for a disk state. */
  vmStateSize: number
  /** The state that its files stand on; undefined for the first of a chain and where none does. */
  parent?: string
}

/** How long-running work can be ended. */
export interface OperationOptions {
  signal?: AbortSignal | undefined
}

/** What {@link ImageBackend.unset} can be told. */
export interface UnsetOptions extends OperationOptions {
  /** Remove the states that stand on this one too, instead of refusing. */
  withChildren?: boolean
}

/**
 * The face for any image or running machine, after the state backends of avocado-i2n: a mechanism to
 * show, get, set and unset states. Policies are not its business; they are decided above it.
 *
 * A state exists if every disk of the target has it. An operation that fails, or is killed, leaves
 * every disk as it was, or is finished or undone by the next one.
 *
 * Every method throws VmStatesError: `IMAGE_MISSING`, `IMAGE_NOT_QCOW2`, `IMAGE_DAMAGED` and
 * `ACCESS_DENIED`; those that write also `IMAGE_IN_USE` and `DISK_FULL`.
 */
export interface ImageBackend {
  readonly name: 'internal' | 'external' | 'live'

  /** The states of the target, oldest first. Changes nothing; the images may be in use. */
  show(target: ImageTarget, options?: OperationOptions): Promise<StateRecord[]>

  /** Whether the target has the state. Changes nothing. */
  check(target: ImageTarget, tag: string, options?: OperationOptions): Promise<boolean>

  /**
   * Makes the state the current content of every disk; what was current is lost.
   *
   * @throws VmStatesError `STATE_MISSING`
   */
  get(target: ImageTarget, tag: string, options?: OperationOptions): Promise<void>

  /**
   * Keeps the current content under a name, which stays current. A state of that name is replaced;
   * it is there until the new one is.
   *
   * @param name - checked by the caller, with `stateNameSchema`
   * @throws VmStatesError `STATE_HAS_CHILDREN` if others stand on the one to be replaced
   */
  set(target: ImageTarget, name: string, options?: OperationOptions): Promise<void>

  /**
   * Removes the state. The current content stays as it is.
   *
   * @throws VmStatesError `STATE_MISSING`, `STATE_HAS_CHILDREN`
   */
  unset(target: ImageTarget, tag: string, options?: UnsetOptions): Promise<void>
}
