import type { LaunchOptions } from './launch-options.js'

/** A running QEMU. */
export interface MachineProcess {
  readonly options: LaunchOptions
}
