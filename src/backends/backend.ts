import type { Liveness } from '../params/liveness.js'
import type { Disk, LaunchOptions } from '../qemu/machine/launch-options.js'
import type { MachineProcess } from '../qemu/machine/machine-process.js'
import type { OwnRam } from './fork/own-ram.js'

/** What a machine in hand is prepared for. */
export type Purpose =
  /** A test runs on it; everything is thrown away. */
  | 'test'
  /** A setup runs on it, and then its disks are captured. */
  | 'disk'
  /** A setup runs on it, and then its disks, RAM and devices are captured. */
  | 'live'

/** What a live state has beside its disks, where they do not hold it. */
export interface SavedMemory {
  /** Absolute path of the guest's RAM, a sparse file; absent where it is with the devices. */
  ram?: string
  /** Bytes of RAM. */
  size: number
  /** Absolute path of what QEMU saved of the devices. */
  devices: string
  /**
   * Absolute path of the same once more, as a snapshot in a qcow2 file: what a running QEMU can load. Absent
   * where `ram` is, and in states of before there was any.
   */
  snapshot?: string
}

/** A state as files: what `capture` wrote and what `prepare` starts from. Never written to again. */
export interface StateFiles {
  liveness: Liveness
  /** The backend that captured it; the only one that can prepare it. `image` is the root of a chain. */
  backend: 'image' | 'external' | 'internal' | 'live' | 'fork'
  disks: readonly Disk[]
  memory?: SavedMemory
}

/** A machine made ready for launch: files of its own, and how to get from QEMU's start to the state. */
export interface PreparedMachine {
  /** Disks in the work directory, for this machine alone. */
  disks: readonly Disk[]
  /** What the launch needs besides the definition. */
  launch: Pick<LaunchOptions, 'ram' | 'incoming'>
  /** RAM to be captured, where the state brings it; to be disposed of. */
  ram?: OwnRam
  /** From a launched process whose CPUs are stopped to the machine in the state, stopped still. */
  load(process: MachineProcess): Promise<void>
  /**
   * Brings the machine back to the state without a new process, stopped or running as it was; absent
   * where the backend cannot. A rejection means that the process is unusable and a new one is needed.
   */
  rewind?(process: MachineProcess): Promise<void>
}

/** A machine whose present state is to be kept. */
export interface CapturableMachine {
  disks: readonly Disk[]
  process: MachineProcess
  /** The file of its RAM, if it was prepared for `live`. */
  ram?: OwnRam | undefined
  /**
   * Whether the files that its disks were made on, a kept boot's, are to go some day: what is captured
   * stands on what these stand on.
   */
  leavesBoot?: boolean | undefined
}

/**
 * The face that the state graph sees: one way of keeping a machine as files and getting it back.
 * A backend sees neither keys nor the store's layout; it is given directories.
 */
export interface GraphBackend {
  /** Which states it keeps. */
  readonly liveness: Liveness

  /**
   * Makes the files of a new machine in `state`, without touching the state's own.
   *
   * @param directory - an existing, empty work directory of the machine's own
   * @throws VmStatesError if the state's files are missing or damaged, or the disk is full
   */
  prepare(state: StateFiles, purpose: Purpose, directory: string): Promise<PreparedMachine>

  /**
   * Finds out, without changing it, whether a running machine can be captured; absent where any can.
   *
   * @throws VmStatesError `SAVE_BLOCKED`, naming everything that is in the way
   */
  requireSavable?(machine: CapturableMachine): Promise<void>

  /**
   * Writes the machine's present state into an empty directory, and ends the machine. The guest of
   * a disk state has been told to shut down by the caller. Files move
   * by rename where they can. Backing files in `tree` are referred to by relative paths, so that it
   * can be moved as a whole.
   *
   * @param tree - the directory that `directory` and the states that this one stands on are in; by
   *   default, that of `directory`
   * @throws VmStatesError if the guest does not shut down cleanly (disk states); nothing is left in
   *   `directory` then
   */
  capture(machine: CapturableMachine, directory: string, tree?: string): Promise<StateFiles>
}
