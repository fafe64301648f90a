import type { StateFiles } from '../../backends/backend.js'
import type { Image } from '../../params/image.js'
import type { DirectKernel } from '../../qemu/machine/launch-options.js'

/** A file outside the store that a state's disks stand on, and what it held when it was built. */
export interface BaseImage {
  image: Image
  identity: string
}

/** One machine of a state, as files. */
export interface AvailableMember {
  files: StateFiles
  directKernel?: DirectKernel | undefined
  /** Absolute path of the code of its UEFI firmware. */
  firmware?: string | undefined
  /** The fingerprint of its guest's host key of ssh, once it was met. */
  hostKey?: string | undefined
  /** Whether it is the kept boot of what a build starts from; the new state does not stand on it. */
  isBoot?: true
}

/** A setup that a machine needs yet to be in a state. */
export interface Replay {
  setup: (held: unknown) => unknown
  /** The member of an environment that it takes; all that is held, unless given. */
  member?: string
  /** The state that it was written for, as people call it. */
  name: string
  /** Milliseconds that it may take. */
  timeout: number
}

/** A state that is there to start from, and stays there until it is released. */
export interface AvailableState {
  /** As people call it: `debian/nginx`. */
  name: string
  members: Readonly<Record<string, AvailableMember>>
  bases: readonly BaseImage[]
  /** The objects of the store that hold its files. */
  objects: readonly string[]
  /** Seconds that it once took to get from the image to this state. */
  worth: number
  /** Seconds that its build took; undefined if it was there already. */
  builtIn?: number
  /** What is done to the machines each time that they have started, in this order. */
  replays?: readonly Replay[]
  /** Gives back the leases that keep its files. */
  release(): Promise<void>
}
