import { isAbsolute, join, relative } from 'node:path'
import type { Liveness } from '../../params/liveness.js'
import type { DirectKernel } from '../../qemu/machine/launch-options.js'
import type { StoredObject } from '../../store/objects/manifest.js'
import type { KeptMoment } from '../kept/kept-moment.js'
import type { AvailableMember, BaseImage } from './available-state.js'

const FORMAT = 2

/** What the manifest of a state's object says about it. Paths are relative to the object. */
export interface StateMeta {
  format: number
  /** The name of the machine or of the environment. */
  owner: string
  state: string
  /** The name of the state that it was built on. */
  parent: string
  liveness: Liveness
  members: Readonly<Record<string, AvailableMember>>
  /** Milliseconds from the stop of the first machine to that of the last, for several live ones. */
  skew?: number
  bases: readonly BaseImage[]
  /** What went into the key, to tell what changed. */
  parts: Readonly<Record<string, unknown>>
  /** Seconds that the build took, without those for its parents. */
  seconds: number
  /** Seconds with those for its parents. */
  worth: number
  /** For a state that nobody defined. */
  kept?: KeptMoment
}

/** What is said about a state when it is committed; paths as they are in the draft. */
export type NewStateMeta = Omit<StateMeta, 'format'>

/**
 * The JSON for an object's manifest. Drafts are siblings of objects, so that relative paths stay
 * right when a draft becomes one, and when the store is moved.
 *
 * @param directory - the draft's directory
 */
export function writeMeta(meta: NewStateMeta, directory: string): StateMeta {
  const members = mapPaths(meta.members, (path) => relative(directory, path))
  return { ...meta, format: FORMAT, members }
}

/**
 * Reads what an object's manifest says about the state, with absolute paths.
 *
 * @returns undefined for an object that is no state, or one of another version of this package
 */
export function readMeta({ directory, manifest }: StoredObject): StateMeta | undefined {
  const meta = manifest.meta as StateMeta | undefined
  if (meta?.format !== FORMAT || typeof meta.state !== 'string') return undefined
  const toAbsolute = (path: string) => (isAbsolute(path) ? path : join(directory, path))
  return { ...meta, members: mapPaths(meta.members, toAbsolute) }
}

function mapPaths(
  members: StateMeta['members'],
  map: (path: string) => string,
): StateMeta['members'] {
  return Object.fromEntries(
    Object.entries(members).map(([member, { files, directKernel, firmware, hostKey }]) => {
      const disks = files.disks.map((disk) => ({ ...disk, file: map(disk.file) }))
      const { memory } = files
      const saved = memory && {
        memory: {
          ...memory,
          ...(memory.ram !== undefined && { ram: map(memory.ram) }),
          devices: map(memory.devices),
          ...(memory.snapshot !== undefined && { snapshot: map(memory.snapshot) }),
        },
      }
      const kernel = directKernel && { directKernel: mapKernel(directKernel, map) }
      const code = firmware && { firmware: map(firmware) }
      const met = hostKey !== undefined && { hostKey }
      return [member, { files: { ...files, disks, ...saved }, ...kernel, ...code, ...met }]
    }),
  )
}

function mapKernel(direct: DirectKernel, map: (path: string) => string): DirectKernel {
  const { kernel, initrd } = direct
  return { ...direct, kernel: map(kernel), ...(initrd && { initrd: map(initrd) }) }
}
